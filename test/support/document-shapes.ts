/** The shapes of the documents, read off the types of the reports: what `qdbg report` checks a stored document against. */
import ts from 'typescript';

/** Files, and the type in each that is stored. */
const ROOTS = { 'src/report/any-report.ts': 'AnyReport', 'src/commands/shards/shard-state.ts': 'ShardState' };
const ARRAYS: readonly string[] = ['Float64Array', 'Float32Array', 'Int32Array'];

/** One line of JSON for each named type: the source of src/commands/report-shapes.ts. */
export function documentShapes(root: string): string {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
  };
  const files = Object.keys(ROOTS).map((file) => `${root}/${file}`);
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const typeNamed = (file: string, name: string): ts.Type => {
    const statements = program.getSourceFile(`${root}/${file}`)?.statements ?? [];
    for (const statement of statements) {
      const isType = ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement);
      if (isType && statement.name.text === name) return checker.getTypeAtLocation(statement.name);
    }
    throw new Error(`no ${name} in ${file}`);
  };
  const shapes = new Map<string, string>();
  const named = new Map<string, ts.Type>();

  const ofProperty = (property: ts.Symbol): [string, unknown] => {
    const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
    return [`${property.name}${isOptional ? '?' : ''}`, of(checker.getTypeOfSymbol(property))];
  };
  const ofObject = (type: ts.Type): unknown => ({
    o: Object.fromEntries(checker.getPropertiesOfType(type).map(ofProperty)),
  });
  const nameOf = (type: ts.Type): string | undefined => {
    const symbol = type.aliasSymbol ?? type.getSymbol();
    const name = symbol?.getName();
    const isPlain = (type.aliasTypeArguments?.length ?? 0) === 0;
    return name === undefined || name.startsWith('__') || !isPlain ? undefined : name;
  };
  const of = (type: ts.Type): unknown => {
    const { flags } = type;
    if ((flags & (ts.TypeFlags.Unknown | ts.TypeFlags.Any)) !== 0) return 'unknown';
    if ((flags & ts.TypeFlags.Null) !== 0) return { is: [null] };
    if (type.isLiteral()) return { is: [type.value] };
    if ((flags & ts.TypeFlags.BooleanLiteral) !== 0) return { is: [checker.typeToString(type) === 'true'] };
    if ((flags & ts.TypeFlags.Boolean) !== 0) return 'boolean';
    if ((flags & ts.TypeFlags.Number) !== 0) return 'number';
    if ((flags & ts.TypeFlags.String) !== 0) return 'string';
    if (type.isUnion()) return ofUnion(type.types);
    // Ids are numbers that are not to be mixed up.
    if (type.isIntersection()) {
      const plain = type.types.find(
        (part) => (part.flags & (ts.TypeFlags.Number | ts.TypeFlags.String)) !== 0,
      );
      if (plain !== undefined) return of(plain);
    }
    const array = type.getSymbol()?.getName() ?? '';
    if (ARRAYS.includes(array)) return array;
    if (checker.isTupleType(type))
      return { tuple: checker.getTypeArguments(type as ts.TypeReference).map(of) };
    if (checker.isArrayType(type)) {
      const [element] = checker.getTypeArguments(type as ts.TypeReference);
      if (element === undefined) throw new Error('an array of nothing');
      return { each: of(element) };
    }
    const index =
      checker.getIndexTypeOfType(type, ts.IndexKind.String) ??
      checker.getIndexTypeOfType(type, ts.IndexKind.Number);
    if (index !== undefined) return { values: of(index) };
    const name = nameOf(type);
    const known = name === undefined ? undefined : named.get(name);
    if (name === undefined || (known !== undefined && known !== type)) return ofObject(type);
    if (known === undefined) {
      named.set(name, type);
      shapes.set(name, '');
      shapes.set(name, JSON.stringify(ofObject(type)));
    }
    return `@${name}`;
  };
  const ofUnion = (types: readonly ts.Type[]): unknown => {
    const parts = types.filter(({ flags }) => (flags & ts.TypeFlags.Undefined) === 0).map(of);
    const literals = parts.flatMap((part) => (isLiteral(part) ? part.is : []));
    const others = parts.filter((part) => !isLiteral(part));
    const isBoolean = literals.includes(true) && literals.includes(false);
    const rest = isBoolean ? literals.filter((value) => typeof value !== 'boolean') : literals;
    // The compiler orders the members of a union by when it met them.
    const inOrder = [...rest].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    const all = [...others, ...(isBoolean ? ['boolean'] : []), ...(rest.length > 0 ? [{ is: inOrder }] : [])];
    return all.length === 1 ? all[0] : { any: all };
  };

  for (const [file, name] of Object.entries(ROOTS)) of(typeNamed(file, name));
  const lines = [...shapes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, shape]) => `  ${name}: '${shape.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}',\n`);
  return (
    '/**\n * What stored documents look like: made from the types of the reports by `npx vitest run test/commands/report-shapes.test.ts -u`,\n' +
    ' * never by hand. One named type a line, as JSON; `Shape` in report-check.ts says how to read it.\n */\n' +
    `export const DOCUMENT_SHAPES: Readonly<Record<string, string>> = {\n${lines.join('')}};\n`
  );
}

function isLiteral(shape: unknown): shape is { readonly is: readonly unknown[] } {
  return typeof shape === 'object' && shape !== null && 'is' in shape;
}

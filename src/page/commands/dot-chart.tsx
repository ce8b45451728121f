/** Values by name, with their legend, to be taken away as SVG and CSV. */
import type { ComponentChildren, JSX } from 'preact';
import { Chart } from '../frame/chart.js';
import type { Cell } from '../frame/download.js';
import { drawDots } from './dot-drawing.js';
import { isInRows, type DotSpec } from './dot-spec.js';
import { Legend } from './legend.js';

export interface DotChartProps extends DotSpec {
  readonly title: string;
  readonly description: string;
  /** Name of downloads, without an extension. */
  readonly file: string;
  /** What is done with the key of the row that was clicked. */
  readonly onPick?: (key: string) => void;
  readonly inputs: readonly unknown[];
  readonly children?: ComponentChildren;
}

export function DotChart(props: DotChartProps): JSX.Element {
  const { title, description, file, rows, series, levels, onPick, inputs, children } = props;
  return (
    <Chart
      title={title}
      description={description}
      file={file}
      inputs={inputs}
      draw={(width) => {
        const drawn = drawDots(props, width);
        if (onPick !== undefined)
          drawn.addEventListener('click', () => {
            const near = drawn.value as { readonly key: string } | null | undefined;
            if (near !== null && near !== undefined) onPick(near.key);
          });
        return drawn;
      }}
      data={() => ({
        titles: ['name', ...series.flatMap((one) => [one.title, `${one.title}: low`, `${one.title}: high`])],
        rows: rows
          .filter(({ isHeading }) => isHeading !== true)
          .map(({ label, values }): Cell[] => [
            label,
            ...series.flatMap(({ key }) => {
              const found = values.find((value) => value.series === key);
              return [found?.value ?? found?.instead, found?.interval?.[0], found?.interval?.[1]];
            }),
          ]),
      })}
    >
      {children}
      <Legend
        series={series}
        levels={levels}
        hasMissing={
          !isInRows(props) && rows.some(({ values }) => values.some(({ instead }) => instead !== undefined))
        }
      />
    </Chart>
  );
}

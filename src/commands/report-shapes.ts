/**
 * What stored documents look like: made from the types of the reports by `npx vitest run test/commands/report-shapes.test.ts -u`,
 * never by hand. One named type a line, as JSON; `Shape` in report-check.ts says how to read it.
 */
export const DOCUMENT_SHAPES: Readonly<Record<string, string>> = {
  Accuracy:
    '{"o":{"metric":"string","description":"string","unit":{"is":["","%","dB"]},"better":{"is":["higher","lower"]},"samples":"number","labels?":{"o":{"source":"string","kind":"string","classes?":"number"}},"decoder":"string","reference?":"number","referenceInterval?":{"tuple":["number","number"]},"candidate?":"number","candidateInterval?":{"tuple":["number","number"]},"delta?":"number","deltaUnit":{"is":["","dB","pt"]},"interval?":{"tuple":["number","number"]},"pValue?":"number","test?":{"is":["McNemar exact","paired bootstrap"]},"standing?":{"is":["better","equal","within noise","worse"]},"perClass?":{"each":"@ReportedClass"},"transitions?":"@ClassTransitions","networks":{"each":"@ScoredNetwork"},"chance?":"number","disagreements":{"each":"@Disagreement"},"leftOut":"number","labelOffset?":{"o":{"offset":"number","value":"number","isApplied":"boolean"}},"summary":"string"}}',
  AccuracyRequest:
    '{"o":{"labels?":"string","metrics":{"each":"string"},"decode?":"string","classes?":"string","classMap?":"string","ignoreLabel?":"number","labelOffset?":"number","skipUnlabelled":"boolean","expectAccuracy?":"number","isRequired":"boolean","pictures":"number","tellsAgreement":"boolean"}}',
  Agreement: '{"o":{"sqnrDb?":"number","exact?":{"is":[true]}}}',
  Answers:
    '{"o":{"count":"number","rowsPerSample":"number","classes":"number","entropy":"@FloatAndQuantized","different":"@FloatAndQuantized","changed":"number","ties":"@FloatAndQuantized"}}',
  Assumption:
    '{"o":{"what":"string","value":"string","from":{"is":["data","default","flag","metadata","model","preset"]}}}',
  AucState:
    '{"o":{"kind":{"is":["auc"]},"labels":"Int32Array","indices":"Int32Array","width?":"number","areProbabilities":"boolean","leftOut":"number","networks":{"each":{"o":{"scores":"Float32Array","samples":"Int32Array","nonFinite":"number"}}}}}',
  BaselineComparison:
    '{"o":{"source":"string","matched":"number","drift":{"each":"@LayerDrift"},"newWorstLayer?":{"o":{"tensor":"string","node":"string","formerly":"string"}},"unmatched":{"o":{"baseline":{"each":"@BaselineLayer"},"now":{"each":"@BaselineLayer"}}},"accuracy?":{"o":{"metric":"string","from?":"number","to?":"number"}},"findings":{"o":{"appeared":{"each":"@BaselineFinding"},"gone":{"each":"@BaselineFinding"}}},"notes":{"each":"string"},"checks":{"each":"@GateCheck"}}}',
  BaselineFinding: '{"o":{"rule":"string","subject":{"o":{"node?":"string","tensor?":"string"}}}}',
  BaselineLayer:
    '{"o":{"tensor":"string","node":"string","op":"string","order":"number","shape":"string","cumulativeDb?":{"any":["number",{"is":["exact"]}]},"localDb?":{"any":["number",{"is":["exact"]}]}}}',
  BoxClassesState: '{"o":{"labelled":{"each":"number"},"answered":{"each":"number"}}}',
  BoxState:
    '{"o":{"kind":{"is":["boxes"]},"indices":"Int32Array","leftOut":"number","boxes":{"each":{"o":{"label":"number","images":"Int32Array","counts":"Int32Array"}}},"detections":{"each":{"o":{"classes":"Int32Array","images":"Int32Array","scores":"Float64Array","found":"Int32Array","excused":"Int32Array","nonFinite":"number"}}}}}',
  CalibrationState:
    '{"o":{"samples":"number","momentum":"number","edges":{"each":"@EdgeStatisticsState"},"counts":{"each":"@HistogramState"}}}',
  ChannelStudy:
    '{"o":{"mode":"number","modeShare":"number","min":"number","max":"number","p001":"number","p999":"number","mean":"number","std":"number"}}',
  ClassAgreementState:
    '{"o":{"kind":{"is":["agreement of classes"]},"hits":"@HitsState","transitions":"@TransitionState"}}',
  ClassPairsState:
    '{"o":{"cells":{"each":{"tuple":["number","number"]}},"from":{"each":{"tuple":["number","number"]}}}}',
  ClassTransitions:
    '{"o":{"cells":{"each":"@Transition"},"leftOut":"number","counted?":{"is":["pixels"]},"classNames?":{"values":"string"}}}',
  CompareReport:
    '{"o":{"command":{"is":["compare"]},"alignment":"@ReportedAlignment","tensors":{"each":"@ComparedTensor"},"constants":{"each":"@ComparedConstant"},"outputs":"@LadderRung","ladder":{"each":"@LadderRung"},"runtime?":{"any":["@OtherRun","@NotRun"]},"optimized?":{"any":["@OtherRun","@NotRun"]},"processor?":"string","actual?":"@OtherRun","scheme":{"values":"unknown"},"coverage":{"o":{"ops":{"o":{"quantized":"number","total":"number"}},"macs":{"o":{"quantized":"number","total":"number"}},"islands":{"each":{"o":{"nodes":{"each":"string"},"reason":"string"}}}}},"schemaVersion":{"is":[1]},"tool":{"o":{"name":{"is":["qdbg"]},"version":"string","runtime?":"string"}},"createdAt?":"string","models":{"each":"@ReportedModel"},"data":{"o":{"calib?":"@ReportedData","eval?":"@ReportedData","data?":"@ReportedData"}},"shard?":"@ReportedShard","graph?":"@ReportedGraph","histogramSamples?":"number","findings":{"each":"@Finding"},"rules":"@ReportedRules","verdict":{"o":{"cause?":"string","where?":"string","summary":"string","fix?":"@Fix"}},"jumps":{"each":"@ReportedJump"},"notMeasured":{"each":{"o":{"subject":"string","reason":"string"}}},"accuracy?":"@Accuracy","agreement?":"@Accuracy","otherMetrics?":{"each":"@Accuracy"},"pictures?":"@ReportedPictures","gate?":"@Gate","suppressed?":{"each":"@Suppressed"},"drift?":"@BaselineComparison","preprocessings?":{"each":"@TriedPreprocessing"}}}',
  ComparedConstant:
    '{"o":{"tensor":"string","reference":"string","node":"string","role":{"is":["bias","weight"]},"correlation?":"number","error?":"@ErrorMeasurement"}}',
  ComparedTensor:
    '{"o":{"reference":"string","layout?":"string","tensor":"string","node":"string","op":"string","role":{"is":["activation","bias","input","output","weight"]},"order":"number","shape":{"each":{"any":["string","number",{"is":[null]}]}},"quant?":"@ReportedQuant","range?":{"o":{"min":"number","max":"number","p01?":"number","p99?":"number"}},"levels?":"number","lostShare?":"number","self?":"@ErrorMeasurement","local?":"@ErrorMeasurement","cumulative?":"@ErrorMeasurement","forecast?":{"values":"number"},"alternatives?":{"each":"@ReportedAlternative"},"histogram?":"@ReportedHistogram","bulk?":"@ReportedHistogram","channels?":{"o":{"axis":"number","asked?":{"is":[true]},"values":{"each":"@ReportedChannel"}}}}}',
  Confusion: '{"o":{"from":"number","to":"number","share":"number","count":"number"}}',
  Cosine: '{"o":{"mean":"number","min":"number","isUnit":"boolean","ranks?":"number"}}',
  DataStudy:
    '{"o":{"flag":{"is":["--calib","--data","--eval"]},"kind":"string","samples":"number","available?":"number","inputs":{"each":"@InputStudy"},"duplicates":"@Duplicates","nearConstant":"@SomeSamples","noise":"@SomeSamples","excluded":{"o":{"count":"number","first":{"each":"@Exclusion"}}},"folder?":"@OneFolder","assumed?":{"each":"@Assumption"}}}',
  DeadTensor:
    '{"o":{"tensor":"number","name":"string","node?":"string","ratio":"number","samples":"number"}}',
  Disagreement:
    '{"o":{"sample":"string","network":"number","truth?":"number","reference?":"number","candidate?":"number"}}',
  DoctorReport:
    '{"o":{"schemaVersion":{"is":[1]},"tool":{"o":{"name":{"is":["qdbg"]},"version":"string","runtime?":"string"}},"command":{"is":["doctor"]},"createdAt?":"string","basis":{"is":["comparison","file","files","own integers","simulation"]},"models":{"each":"@ReportedModel"},"data":{"o":{"calib?":"@ReportedData","eval?":"@ReportedData","data?":"@ReportedData"}},"inspected":{"o":{"impliedActivations?":"number","inputs":{"each":"@Port"},"outputs":{"each":"@Port"},"quantization?":"@InspectedQuantization"}},"scheme?":{"values":"unknown"},"graph?":"@ReportedGraph","histogramSamples?":"number","tensors":{"each":"@ReportedTensor"},"findings":{"each":"@Finding"},"rules":"@ReportedRules","verdict":{"o":{"cause?":"string","where?":"string","summary":"string","fix?":"@Fix"}},"notMeasured":{"each":{"o":{"subject":"string","reason":"string"}}},"accuracy?":"@Accuracy","agreement?":"@Accuracy","otherMetrics?":{"each":"@Accuracy"},"pictures?":"@ReportedPictures","gate?":"@Gate","suppressed?":{"each":"@Suppressed"},"drift?":"@BaselineComparison","preprocessings?":{"each":"@TriedPreprocessing"}}}',
  Drift: '{"o":{"from?":{"any":["number",{"is":["exact"]}]},"to?":{"any":["number",{"is":["exact"]}]}}}',
  Duplicates: '{"o":{"count":"number","groups":{"each":{"each":"string"}}}}',
  EdgeStatisticsState:
    '{"o":{"tensor":"number","min":"number","max":"number","count":"number","average?":{"o":{"min":"number","max":"number"}},"channels":{"o":{"min":"Float64Array","max":"Float64Array","sumXX":"Float64Array"}},"nonFinite":"number","nonFiniteIn?":"string","half?":"@HalfRange"}}',
  EdgeSumsState:
    '{"o":{"tensor":"number","value":{"o":{"count":"number","nonFinite":"number","sumXX":"number","clipped":"number"}},"errors":{"each":"@ErrorSumsState"}}}',
  Effect:
    '{"o":{"outputSqnrDb?":"number","exact?":{"is":[true]},"changedShare?":"number","accuracy?":"number","accuracyDelta?":"number","accuracyInterval?":{"tuple":["number","number"]},"deltaInterval?":{"tuple":["number","number"]},"pValue?":"number","standing?":{"is":["better","equal","within noise","worse"]},"failure?":"string"}}',
  EmptyState: '{"o":{"kind":{"is":["empty"]}}}',
  ErrorMeasurement:
    '{"o":{"sqnrDb?":"number","exact?":{"is":[true]},"worstSqnrDb?":"number","worstSample?":"string","worstSamples?":{"each":{"o":{"sample":"string","sqnrDb":"number"}}},"mse":"number","maxAbsError":"number","bias":"number","clippedShare":"number","noise":{"o":{"clip":"number","round":"number"}},"biasShare":"number","channelBiasShare?":"number","nonFinite":"number","worstChannel?":"@WorstChannel"}}',
  ErrorSumsState:
    '{"o":{"kind":{"is":["cumulative","local","self"]},"sumEE":"Float64Array","sumE":"Float64Array","maxAbsE":"Float64Array","clipEE":"number","nonFinite":"number","worst":{"each":"@WorstSample"}}}',
  EvaluationFacts:
    '{"o":{"networks":{"each":{"o":{"network":"string","title":"string"}}},"decoder":"string","classes?":"number","labels?":{"o":{"source":"string","kind":{"is":["boxes","class","mask","values"]},"classes?":"number","unlabelled":"number","assumed":{"each":{"o":{"what":"string","value":"string","from":"string"}}}}},"classNames":{"each":{"tuple":["number","string"]}}}}',
  EvaluationState:
    '{"o":{"facts":"@EvaluationFacts","scored":"number","metrics":{"each":{"o":{"metric":"string","isLabelled":"boolean","state":{"any":["@TopState","@ClassAgreementState","@PixelAgreementState","@SummedState","@MaskState","@BoxState","@AucState","@EmptyState"]}}}},"boxes":"@BoxClassesState","pictures?":"@ReportedPictures"}}',
  Exclusion: '{"o":{"id":"string","reason":"string"}}',
  Extremes: '{"o":{"min":"number","max":"number"}}',
  Finding:
    '{"o":{"rule":"string","severity":{"is":["error","note","warning"]},"subject":{"o":{"node?":"string","tensor?":"string"}},"message":"string","args":{"values":{"any":["string","number"]}},"fix?":"@Fix"}}',
  Fix: '{"o":{"title":"string","edit":"string","measured?":"@MeasuredFix"}}',
  FloatAndQuantized: '{"o":{"float":"number","quantized":"number"}}',
  ForecastLayer:
    '{"o":{"node":"string","op":"string","depthwise":"boolean","tensor":"string","channels":"number","fewLevelChannels":{"each":"number"},"fewestLevels":"number","unusable":"boolean","perTensorSqnrDb?":"number","perAxisSqnrDb?":"number"}}',
  Gate: '{"o":{"verdict":{"is":["fail","inconclusive","pass"]},"checks":{"each":"@GateCheck"}}}',
  GateCheck:
    '{"o":{"name":"string","source":"string","threshold":"number","observed?":"number","margin?":"number","unit":"string","verdict":{"is":["fail","inconclusive","pass"]},"where?":"string","note?":"string","layers?":{"each":"@GateLayer"}}}',
  GateLayer:
    '{"o":{"tensor":"string","node?":"string","observed?":"number","margin?":"number","verdict":{"is":["fail","pass"]},"note?":"string"}}',
  GateRequest:
    '{"o":{"thresholds":"@Thresholds","baseline?":{"o":{"file":"string","update":"boolean"}},"suppressions":{"each":"@Suppression"},"today":"string"}}',
  HalfRange: '{"o":{"min":"number","max":"number","samples":"number"}}',
  HistogramState: '{"o":{"tensor":"number","counts":"Float64Array"}}',
  HitsState:
    '{"o":{"samples":"number","support":{"each":{"tuple":["number","number"]}},"networks":{"each":{"o":{"hits":"number","ties":"number","nonFinite":"number","both":"number","onlyReference":"number","onlyCandidate":"number","hitsByClass":{"each":{"tuple":["number","number"]}},"excess":{"each":{"tuple":["number","number"]}},"disagreements":{"each":"@Disagreement"}}}}}}',
  InputPreprocessing:
    '{"o":{"implied?":{"o":{"family":"string","formula":"string","distance":"number","isExact":"boolean","alternatives":{"each":{"o":{"family":"string","formula":"string","distance":"number"}}}}},"isUnknown?":{"is":[true]},"pixelShift?":"number","pixelsToCodes?":{"o":{"slope":{"each":"number"},"offset":{"each":"number"}}},"inside?":{"o":{"nodes":{"each":"string"},"formula":"string","range?":{"o":{"min":"number","max":"number"}},"quantizer?":{"o":{"tensor":"string","min":"number","max":"number"}}}},"metadata?":{"o":{"formula":"string","agrees?":"boolean"}},"remarks":{"each":"string"}}}',
  InputStudy:
    '{"o":{"tensor":"string","isWhole":"boolean","distinct":"number","channels":{"each":"@ChannelStudy"},"neighbours?":"@NeighbourSteps","min":"number","max":"number","p001":"number","p999":"number","mean":"number","std":"number"}}',
  InspectReport:
    '{"o":{"schemaVersion":{"is":[1]},"tool":{"o":{"name":{"is":["qdbg"]},"version":"string"}},"command":{"is":["inspect"]},"createdAt?":"string","models":{"each":"@InspectedModel"},"weightRanges?":"@WeightRanges","node?":"@InspectedNode","weights?":{"each":"@ReportedWeight"}}}',
  InspectedCoverage:
    '{"o":{"hybrid":{"o":{"ops":"number","macs":"number"}},"islands":{"each":"@InspectedIsland"},"ops":{"o":{"quantized":"number","total":"number"}},"macs":{"o":{"quantized":"number","total":"number"}}}}',
  InspectedIsland:
    '{"o":{"nodes":{"each":"string"},"reason":"string","cause":{"is":["constant","dynamic","end","excluded","hybrid","no-integer-form","output","start","unfolded","weights-only"]},"entries":{"each":"string"},"exits":{"each":"string"},"macs":"number"}}',
  InspectedModel:
    '{"o":{"sha256?":"string","irVersion?":"number","producer?":"string","domains":{"values":"number"},"metadata":{"values":"string"},"inputs":{"each":"@Port"},"outputs":{"each":"@Port"},"macs":"@Macs","absorbed":{"each":"string"},"opCounts":{"each":{"o":{"op":"string","count":"number"}}},"layers":{"each":"@Layer"},"graph?":"@ReportedGraph","forecast":"@WeightForecast","nonFinite":{"each":"@NonFiniteConstant"},"notComputed":{"each":{"o":{"node":"string","reason":"string"}}},"quantization?":"@InspectedQuantization","role":{"is":["candidate","model","reference"]},"path":"string","format":{"is":["onnx","tflite"]},"opset?":"number","ops":"number","parameters":"number","bytes":"number","impliedActivations?":"number"}}',
  InspectedNode:
    '{"o":{"node":"string","op":"string","depthwise":"boolean","weight":"string","dtype":"string","shape":{"each":"number"},"nonFinite":"number","nonFiniteChannels":{"each":"number"}}}',
  InspectedQuantization:
    '{"o":{"scheme":{"values":"unknown"},"coverage":"@InspectedCoverage","origin":"@QuantizationOrigin","tensors":{"each":"@InspectedTensor"},"dynamic":{"each":{"o":{"tensor":"string","node":"string"}}},"unfolded":{"each":{"o":{"node":"string","reason":"string"}}},"findings":{"each":"@Finding"}}}',
  InspectedTensor:
    '{"o":{"tensor":"string","role":{"is":["activation","bias","input","output","weight"]},"node":"string","op":"string","shape":{"each":{"any":["string","number",{"is":[null]}]}},"dtype":"string","granularity":{"is":["per-axis","per-block","per-tensor"]},"axis?":"number","blockSize?":"number","scales":{"o":{"count":"number","min?":"number","max?":"number"}},"zeroPoints":{"o":{"min?":"number","max?":"number"}},"represents?":"@Extremes","onlyInput?":"number","stored?":{"o":{"codes":{"each":"string"},"values":{"each":"string"}}},"read?":{"o":{"scales":{"o":{"min?":"number","max?":"number"}},"zeroPoints":{"o":{"min?":"number","max?":"number"}}}},"quant?":"@ReportedQuant","marks":{"each":"@TensorMark"}}}',
  LadderRung:
    '{"o":{"rung":{"is":["activations","everything","graph","runtime","weights"]},"samples":"number","outputs":{"each":{"o":{"tensor":"string","sqnrDb?":"number","exact?":{"is":[true]},"nonFinite?":"number","agreement?":"number"}}},"remark?":"string"}}',
  Layer:
    '{"o":{"order":"number","node":"string","op":"string","opaque?":{"is":[true]},"absorbed?":{"each":"string"},"shape?":{"each":{"any":["string","number",{"is":[null]}]}},"parameters":"number","macs?":"number","weight?":"@LayerWeight"}}',
  LayerDrift:
    '{"o":{"tensor":"string","node":"string","op":"string","formerly?":"string","cumulative?":"@Drift","local?":"@Drift"}}',
  LayerWeight:
    '{"o":{"tensor":"string","dtype":"string","shape":{"each":"number"},"axis":"number","sharedWith?":"string","min?":"number","max?":"number","spread?":"number","outlierChannels":{"each":"number"}}}',
  Macs: '{"o":{"total?":"number","unknownLayers":"number","counted":{"values":{"each":"number"}}}}',
  MaskState:
    '{"o":{"kind":{"is":["masks"]},"classes":"number","samples":"number","leftOut":"number","seen":"number","unseen":"number","networks":{"each":{"o":{"sums":{"each":{"o":{"column":"number","total":"number","replicates":"Float64Array"}}},"pairs":"@ClassPairsState","ties":"number","nonFinite":"number"}}}}}',
  MaxDrop: '{"o":{"value":"number","unit":{"is":["%","dB","pt"]},"text":"string","source":"string"}}',
  MeasuredFix:
    '{"o":{"tensor":"string","beforeDb?":"number","afterDb?":"number","samples":"number","places?":"number"}}',
  ModelWeightRanges:
    '{"o":{"counts":{"each":"number"},"layers":"number","median?":"number","p95?":"number","max?":"number","widest?":"string","farOut":{"each":"string"}}}',
  NeighbourSteps:
    '{"o":{"read":{"is":["pixels","planes"]},"channels":"number","within":"number","across":"number","apart":"number"}}',
  NonFiniteConstant:
    '{"o":{"tensor":"string","node":"string","role":{"is":["constant","weight"]},"count":"number","channels?":{"each":"number"}}}',
  NotRun: '{"o":{"notRun":"string"}}',
  OfAllSamples:
    '{"o":{"calibration":"@CalibrationState","seen?":"@CalibrationState","calib?":"@DataStudy","eval?":"@DataStudy","outputs?":"@OutputStudy","saturation?":"@SaturationStudy"}}',
  OneFolder: '{"o":{"name":"string","share":"number","others":{"each":"string"},"isInside":"boolean"}}',
  OperatorSaturation:
    '{"o":{"node":"number","channels":"number","bound":"@PairBound","pairs":"number","saturatedShare":"number","outputs":"number","changedShare":"number","sqnrDb?":"number"}}',
  OtherRun:
    '{"o":{"source":"string","samples":"number","tensors":{"each":"@OtherTensor"},"firstDeparture?":"string","skipped":{"each":{"o":{"subject":"string","reason":"string"}}}}}',
  OtherTensor:
    '{"o":{"tensor":"string","node":"string","op":"string","values":"number","differing":"number","beyondTwoCodes?":"number","maxCodes?":"number","nonFinite?":"number","simulated":"@Agreement","reference?":"@Agreement","inputsDiffer?":"boolean","read?":"string"}}',
  OutputStudy: '{"o":{"samples":"number","outputs":{"each":"@StudiedOutput"},"dead?":"@DeadTensor"}}',
  PairBound:
    '{"o":{"channels":"number","pairs":"number","saturable":"number","saturableChannels":"number","anyOrder":"number"}}',
  PairedCounts:
    '{"o":{"both":"number","onlyReference":"number","onlyCandidate":"number","neither":"number"}}',
  PicturedBox:
    '{"o":{"x0":"number","y0":"number","x1":"number","y1":"number","label":"number","score?":"number"}}',
  PicturedLabel: '{"o":{"label":"number","color":"string","share":"number"}}',
  PixelAgreementState:
    '{"o":{"kind":{"is":["agreement of pixels"]},"sums":"@SummedState","pairs":"@ClassPairsState"}}',
  Port: '{"o":{"name":"string","dtype?":"string","shape?":{"each":{"any":["string","number",{"is":[null]}]}},"quant?":"@ReportedQuant","contract?":"@PortContract"}}',
  PortContract:
    '{"o":{"form":{"is":["codes","float","inside"]},"codes?":"string","quantize?":"string","dequantize?":"string","numpy?":{"o":{"quantize":"string","dequantize":"string"}},"min?":"number","max?":"number","step?":"number","preprocessing?":"@InputPreprocessing","meaning?":"string","remarks":{"each":"string"}}}',
  PreprocessingFlags:
    '{"o":{"preset?":"string","resize?":{"is":["letterbox","none","short-side","stretch"]},"interpolation?":{"is":["area","bicubic","bilinear","bilinear-no-antialias","nearest"]},"mean?":{"each":"number"},"std?":{"each":"number"},"color?":{"is":["bgr","gray","rgb"]},"layout?":{"is":["nchw","nhwc"]}}}',
  Processor: '{"o":{"text":"string","saturates":"boolean"}}',
  QuantizationOrigin:
    '{"o":{"evidence":{"each":"string"},"weightScales?":{"o":{"minMax":"number","narrower":"number","total":"number"}}}}',
  Report:
    '{"o":{"schemaVersion":{"is":[1]},"tool":{"o":{"name":{"is":["qdbg"]},"version":"string","runtime?":"string"}},"command":{"is":["analyze"]},"createdAt?":"string","models":{"each":"@ReportedModel"},"data":{"o":{"calib?":"@ReportedData","eval?":"@ReportedData","data?":"@ReportedData"}},"scheme":{"values":"unknown"},"coverage":{"o":{"ops":{"o":{"quantized":"number","total":"number"}},"macs":{"o":{"quantized":"number","total":"number"}},"islands":{"each":{"o":{"nodes":{"each":"string"},"reason":"string"}}}}},"shard?":"@ReportedShard","graph?":"@ReportedGraph","histogramSamples?":"number","tensors":{"each":"@ReportedTensor"},"weights":{"each":"@ReportedWeight"},"findings":{"each":"@Finding"},"rules":"@ReportedRules","verdict":{"o":{"cause?":"string","where?":"string","summary":"string","fix?":"@Fix"}},"jumps":{"each":"@ReportedJump"},"notMeasured":{"each":{"o":{"subject":"string","reason":"string"}}},"accuracy?":"@Accuracy","agreement?":"@Accuracy","otherMetrics?":{"each":"@Accuracy"},"pictures?":"@ReportedPictures","gate?":"@Gate","suppressed?":{"each":"@Suppressed"},"drift?":"@BaselineComparison","preprocessings?":{"each":"@TriedPreprocessing"}}}',
  ReportedAlignment:
    '{"o":{"operators":{"o":{"matched":"number","total":"number"}},"tensors":{"o":{"matched":"number","total":"number"}},"grounds":{"o":{"input?":"number","weights?":"number","name?":"number","structure?":"number","behaviour?":"number"}},"inputs":{"each":{"o":{"candidate":"string","reference":"string","layout?":"string","type?":"string"}}},"outputs":{"each":{"o":{"candidate":"string","position":"number","type":"string","reference?":"string","referencePosition?":"number","layout?":"string"}}},"unmatched":{"o":{"reference":{"each":"@UnmatchedNode"},"candidate":{"each":"@UnmatchedNode"}}}}}',
  ReportedAlternative: '{"o":{"observer":"string","min":"number","max":"number","selfSqnrDb":"number"}}',
  ReportedChannel:
    '{"o":{"min":"number","max":"number","selfSqnrDb?":"number","localSqnrDb?":"number","cumulativeSqnrDb?":"number"}}',
  ReportedClass:
    '{"o":{"name?":"string","delta?":"number","label":"number","value?":"number","support":"number","recall?":"number"}}',
  ReportedData:
    '{"o":{"path":"string","kind":"string","samples":"number","sha256":"string","preprocessing?":{"values":"unknown"},"assumed":{"each":{"o":{"what":"string","value":"string","from":"string"}}},"guessed?":{"o":{"what":"string","value":"string"}},"excluded":{"each":{"o":{"sample":"string","reason":"string"}}}}}',
  ReportedDecision:
    '{"o":{"layers":{"each":"string"},"to":{"is":["float","int16"]},"fixes":{"each":"string"},"effect":"@Effect","meetsTarget?":"boolean"}}',
  ReportedGraph:
    '{"o":{"inputs":{"each":"string"},"outputs":{"each":"string"},"nodes":{"each":"@ReportedNode"}}}',
  ReportedHistogram: '{"o":{"lo":"number","hi":"number","counts":{"each":"number"}}}',
  ReportedJump:
    '{"o":{"tensor":"string","node":"string","op":"string","fromDb?":"number","toDb":"number","from":"string"}}',
  ReportedLaneFix:
    '{"o":{"id":"string","kind":"string","title":"string","places":{"each":"string"},"effect":"@Effect","gainDb?":"number","gain?":"number","cost":{"o":{"macsShare":"number","bytes":"number"}},"gainPerCost?":"number"}}',
  ReportedModel:
    '{"o":{"role":{"is":["candidate","model","reference"]},"path":"string","sha256":"string","format":{"is":["onnx","tflite"]},"opset?":"number","ops":"number","parameters":"number","bytes":"number","impliedActivations?":"number"}}',
  ReportedNode:
    '{"o":{"node":"string","op":"string","inputs":{"each":"string"},"outputs":{"each":"string"},"macs?":"number","float?":"string","index":"number","members?":{"each":"string"}}}',
  ReportedPicture:
    '{"o":{"sample":"string","image":"string","width":"number","height":"number","reference":{"any":[{"o":{"kind":{"is":["class"]},"label":"number"}},{"o":{"kind":{"is":["scores"]},"best":{"each":{"o":{"label":"number","share":"number"}}}}},{"o":{"kind":{"is":["boxes"]},"boxes":{"each":"@PicturedBox"},"all?":"number"}},{"o":{"kind":{"is":["mask"]},"image":"string","labels":{"each":"@PicturedLabel"}}}]},"candidate":{"any":[{"o":{"kind":{"is":["class"]},"label":"number"}},{"o":{"kind":{"is":["scores"]},"best":{"each":{"o":{"label":"number","share":"number"}}}}},{"o":{"kind":{"is":["boxes"]},"boxes":{"each":"@PicturedBox"},"all?":"number"}},{"o":{"kind":{"is":["mask"]},"image":"string","labels":{"each":"@PicturedLabel"}}}]},"truth?":{"any":[{"o":{"kind":{"is":["class"]},"label":"number"}},{"o":{"kind":{"is":["scores"]},"best":{"each":{"o":{"label":"number","share":"number"}}}}},{"o":{"kind":{"is":["boxes"]},"boxes":{"each":"@PicturedBox"},"all?":"number"}},{"o":{"kind":{"is":["mask"]},"image":"string","labels":{"each":"@PicturedLabel"}}}]},"distance":"number","reason":"string"}}',
  ReportedPictures:
    '{"o":{"samples":{"each":"@ReportedPicture"},"among":"number","classNames?":{"values":"string"}}}',
  ReportedQuant:
    '{"o":{"dtype":"string","scale":{"each":"number"},"zeroPoint":{"each":"number"},"axis?":"number","blockSize?":"number","qmin":"number","qmax":"number","source":"string"}}',
  ReportedRules:
    '{"o":{"checked":{"each":"string"},"skipped":{"each":{"o":{"rule":"string","missing":"string"}}}}}',
  ReportedSearch:
    '{"o":{"to":{"is":["float","int16"]},"target":"string","points":{"each":"@SearchedPoint"},"chosen?":"number","best?":"number","stopped":"string"}}',
  ReportedShard:
    '{"o":{"index":"number","count":"number","samples":{"o":{"from":"number","to":"number","all":"number"}},"state":"string"}}',
  ReportedTensor:
    '{"o":{"tensor":"string","node":"string","op":"string","role":{"is":["activation","bias","input","output","weight"]},"order":"number","shape":{"each":{"any":["string","number",{"is":[null]}]}},"quant?":"@ReportedQuant","range?":{"o":{"min":"number","max":"number","p01?":"number","p99?":"number"}},"levels?":"number","lostShare?":"number","self?":"@ErrorMeasurement","local?":"@ErrorMeasurement","cumulative?":"@ErrorMeasurement","forecast?":{"values":"number"},"alternatives?":{"each":"@ReportedAlternative"},"histogram?":"@ReportedHistogram","bulk?":"@ReportedHistogram","channels?":{"o":{"axis":"number","asked?":{"is":[true]},"values":{"each":"@ReportedChannel"}}}}}',
  ReportedWeight:
    '{"o":{"tensor":"string","node":"string","axis":"number","channels":{"each":{"o":{"absmax?":"number","min?":"number","q1?":"number","median?":"number","q3?":"number","max?":"number"}}},"outlierChannels":{"each":"number"},"fence":"number","perTensorSqnrDb?":"number","perAxisSqnrDb?":"number","deadChannels":{"each":"number"},"perTensorLevels":{"each":"number"}}}',
  Restored:
    '{"o":{"gainDb?":"number","noiseShare?":"number","gain?":"number","outputSqnrDb?":"number","exact?":{"is":[true]},"changedShare?":"number","accuracy?":"number","accuracyDelta?":"number","accuracyInterval?":{"tuple":["number","number"]},"deltaInterval?":{"tuple":["number","number"]},"pValue?":"number","standing?":{"is":["better","equal","within noise","worse"]},"failure?":"string"}}',
  SaturationStudy:
    '{"o":{"operators":{"each":"@OperatorSaturation"},"unmeasured":{"each":{"o":{"node":"number","reason":"string"}}},"samples":"number","processor":"@Processor"}}',
  Scheme:
    '{"o":{"name":"string","placement":{"is":["ort","tensorrt","tflite"]},"weights":{"any":["@TensorScheme",{"is":["float"]}]},"activations":{"any":["@TensorScheme",{"is":["float"]}]},"bias":{"is":["float","int32"]}}}',
  SchemeOverrides:
    '{"o":{"weights?":{"is":["float","int16","int2","int32","int4","int64","int8","uint16","uint4","uint8"]},"activations?":{"is":["float","int16","int2","int32","int4","int64","int8","uint16","uint4","uint8"]},"granularity?":{"is":["per-axis","per-tensor"]},"symmetric?":"boolean","observer?":{"is":["entropy","minmax","moving-average","mse","percentile"]},"percentile?":"number","momentum?":"number"}}',
  ScoredNetwork:
    '{"o":{"network":"string","title":"string","value?":"number","interval?":{"tuple":["number","number"]},"delta?":"number","deltaInterval?":{"tuple":["number","number"]},"pValue?":"number","paired?":"@PairedCounts","standing?":{"is":["better","equal","within noise","worse"]},"perClass?":{"each":"@ReportedClass"},"ties?":"number","nonFinite?":"number","confusions?":{"each":"@Confusion"},"also?":{"each":{"o":{"metric":"string","value":"number"}}}}}',
  SearchedPoint:
    '{"o":{"layers":{"each":"string"},"macsShare":"number","extraBytes":"number","effect":"@Effect","drop?":"number","dropInterval?":{"tuple":["number","number"]},"isCertain?":{"is":[true]},"meetsTarget":"boolean","isPareto":"boolean"}}',
  Selection: '{"o":{"only":{"each":"string"},"skip":{"each":"string"}}}',
  ShardState:
    '{"o":{"request":"@StoredRequest","extents":{"each":{"o":{"input":"string","dims":{"each":"number"}}}},"data":{"o":{"calib":"@ReportedData","eval?":"@ReportedData"}},"isSmoke":"boolean","laneDigest":"string","rangesDigest":"string","processor":"string","sums":{"each":"@EdgeSumsState"},"counts":{"each":"@HistogramState"},"accuracy?":"@EvaluationState","noAccuracy":{"each":{"o":{"subject":"string","reason":"string"}}},"once?":"@OfAllSamples"}}',
  SomeSamples: '{"o":{"count":"number","first":{"each":"string"}}}',
  StoredRequest:
    '{"o":{"data":{"o":{"samples?":"number","preprocessing":"@PreprocessingFlags","seed?":"number","skipUnreadable":"boolean","shapes":{"each":{"o":{"input":"string","dims":{"each":"number"}}}}}},"model":"string","scheme?":"@Scheme","accuracy":"@AccuracyRequest","gate":"@GateRequest","calib":{"each":"string"},"eval":{"each":"string"},"schemeOverrides?":"@SchemeOverrides","selection":"@Selection","channels":{"each":"string"},"ladder":"boolean","threads":"number","timestamp":"boolean"}}',
  StudiedOutput:
    '{"o":{"tensor":"number","name":"string","elements":"number","lsb?":"number","range":{"o":{"min":"number","max":"number"}},"variance":"@FloatAndQuantized","moving":"number","stuck":"number","collapse?":{"is":["answers","values"]},"answers?":"@Answers","sums?":"@Sums","half":"@FloatAndQuantized","outside?":"number","levels?":"number","codes":"number","noise":"number","cosine?":"@Cosine"}}',
  SummedState:
    '{"o":{"kind":{"is":["summed"]},"samples":"number","leftOut":"number","networks":{"each":{"o":{"sums":{"each":{"o":{"column":"number","total":"number","replicates":"Float64Array"}}},"nonFinite":"number","ties":"number","undefinedSamples":"number"}}},"found?":{"values":"number"}}}',
  Sums: '{"o":{"rows":"number","lane?":{"o":{"departure":"number","mean":"number"}}}}',
  Suppressed: '{"o":{"finding":"@Finding","reason":"string","expires?":"string"}}',
  Suppression: '{"o":{"rule":"string","subject?":"string","reason":"string","expires?":"string"}}',
  SweepReport:
    '{"o":{"schemaVersion":{"is":[1]},"tool":{"o":{"name":{"is":["qdbg"]},"version":"string","runtime?":"string"}},"command":{"is":["sweep"]},"createdAt?":"string","models":{"each":"@ReportedModel"},"data":{"o":{"calib?":"@ReportedData","eval?":"@ReportedData","data?":"@ReportedData"}},"scheme":{"values":"unknown"},"coverage":{"o":{"ops":{"o":{"quantized":"number","total":"number"}},"macs":{"o":{"quantized":"number","total":"number"}},"islands":{"each":{"o":{"nodes":{"each":"string"},"reason":"string"}}}}},"graph?":"@ReportedGraph","basis":{"o":{"samples":"number","outputs":{"each":"string"},"metric?":{"o":{"better":{"is":["higher","lower"]},"metric":"string","description":"string","unit":{"is":["","%","dB"]},"deltaUnit":{"is":["","dB","pt"]},"samples":"number"}}}},"float":"@Effect","quantized":"@Effect","layers":{"each":"@SweptUnit"},"groups":{"each":"@SweptUnit"},"tensors":{"each":{"o":{"tensor":"string","node":"string","op":"string","role":{"is":["activation","bias","input","output","weight"]},"order":"number","shape":{"each":{"any":["string","number",{"is":[null]}]}},"quant?":"@ReportedQuant","alone?":"@Effect","restored?":"@Restored"}}},"experiments":{"each":"@SweptExperiment"},"search?":"@ReportedSearch","fixes":{"each":"@ReportedLaneFix"},"together?":{"o":{"fixes":{"each":"string"},"effect":"@Effect"}},"decision?":"@ReportedDecision","exports":{"each":{"o":{"kind":"string","file":"string","note":"string","lost":{"each":"string"}}}},"verdict":{"o":{"where?":"string","summary":"string","fix?":{"o":{"title":"string","edit":"string"}}}},"accuracy?":"@Accuracy","notMeasured":{"each":{"o":{"subject":"string","reason":"string"}}}}}',
  SweptExperiment:
    '{"o":{"name":"string","title":"string","family":"string","isBase?":{"is":[true]},"effect":"@Effect","lost?":"number","lostShare?":"number","flags?":{"each":"string"}}}',
  SweptUnit:
    '{"o":{"name":"string","kind":{"is":["group","layer","op"]},"op?":"string","tensor?":"string","layers":"number","macsShare?":"number","floatBytes?":"number","alone?":"@Effect","restored?":"@Restored"}}',
  TensorMark: '{"o":{"kind":{"is":["default-range","illegal","read-back","scale-spread"]},"text":"string"}}',
  TensorScheme:
    '{"o":{"dtype":{"is":["int16","int2","int32","int4","int64","int8","uint16","uint4","uint8"]},"symmetric":"boolean","narrowRange":"boolean","granularity":{"is":["per-axis","per-tensor"]},"zeroPointTies?":{"is":["away"]},"observer":{"any":[{"o":{"kind":{"is":["minmax"]}}},{"o":{"kind":{"is":["moving-average"]},"momentum":"number"}},{"o":{"kind":{"is":["percentile"]},"percentile":"number"}},{"o":{"kind":{"is":["entropy"]}}},{"o":{"kind":{"is":["mse"]}}}]}}}',
  Thresholds:
    '{"o":{"maxDrop?":"@MaxDrop","minSqnr":{"each":{"any":[{"o":{"text":"string","source":"string","kind":{"is":["outputs"]},"db":"number"}},{"o":{"text":"string","source":"string","kind":{"is":["layers"]},"pattern":"string","measure":{"is":["cumulative","local","self"]},"db":"number"}},{"o":{"text":"string","source":"string","kind":{"is":["off"]},"pattern":"string","measure?":{"is":["cumulative","local","self"]}}}]}},"minSamples?":{"o":{"text":"string","source":"string","value":"number"}},"inconclusive?":{"is":["fail","pass"]},"failOn?":{"o":{"text":"string","source":"string","severity":{"is":["error","warning"]}}}}}',
  TopState:
    '{"o":{"kind":{"is":["top"]},"hits":{"each":"@HitsState"},"transitions":"@TransitionState","classes?":"number","leftOut":"number"}}',
  Transition: '{"o":{"from":"number","to":"number","count":"number"}}',
  TransitionState:
    '{"o":{"stayed":{"each":{"tuple":["number","number"]}},"changed":{"each":{"tuple":["number","number"]}},"leftOut":"number"}}',
  TriedPreprocessing:
    '{"o":{"title":"string","flags":{"each":"string"},"value?":"number","interval?":{"tuple":["number","number"]}}}',
  UnmatchedNode: '{"o":{"node":"string","op":"string","tensor":"string"}}',
  WeightForecast: '{"o":{"weights":"number","fewLevels":"number","layers":{"each":"@ForecastLayer"}}}',
  WeightRanges:
    '{"o":{"of":{"is":["convolutions","weights"]},"edges":{"each":"number"},"models":{"each":"@ModelWeightRanges"}}}',
  WorstChannel: '{"o":{"channel":"number","sqnrDb":"number"}}',
  WorstSample: '{"o":{"sample":"string","sumXX":"number","sumEE":"number"}}',
};

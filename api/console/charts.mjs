// The parts of ECharts that the console draws with: the build hook makes one script of them, half
// as heavy as the whole library, which a phone would take more than half a second to read.
import { BarChart, CustomChart, GraphChart, LineChart } from "echarts/charts";
import {
  GridComponent, LegendPlainComponent, LegendScrollComponent, MarkLineComponent, TooltipComponent,
} from "echarts/components";
import { use } from "echarts/core";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

use([
  BarChart, CustomChart, GraphChart, LineChart,
  GridComponent, LegendPlainComponent, LegendScrollComponent, MarkLineComponent, TooltipComponent,
  CanvasRenderer, SVGRenderer,
]);

export { getInstanceByDom, init } from "echarts/core";

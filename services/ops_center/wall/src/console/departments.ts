/** Whom an incident is usually handed to; any other name can be typed. */

const BY_PREFIX: readonly [string, readonly string[]][] = [
  ["traffic.", ["市公安局交警支队", "市交通运输局"]],
  ["air.", ["市生态环境局"]],
  ["noise.", ["市生态环境局", "市城市管理和综合执法局"]],
  ["weather.", ["市应急管理局", "市气象局"]],
  ["water.level", ["市水利局", "市应急管理局"]],
  ["water.", ["供水公司", "市住房和城乡建设局"]],
  ["drain.", ["排水管理处", "市城市管理和综合执法局"]],
  ["gas.", ["燃气公司", "市消防救援支队"]],
  ["power.", ["供电局"]],
];
const ALWAYS: readonly string[] = ["市应急管理局", "市住房和城乡建设局", "市城市管理和综合执法局", "市消防救援支队"];

/** The likeliest first. */
export function departmentsFor(metric: string | null): string[] {
  const fitting = BY_PREFIX.find(([prefix]) => metric?.startsWith(prefix))?.[1] ?? [];
  return [...new Set([...fitting, ...ALWAYS])];
}

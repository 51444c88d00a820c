/** Texts of what moved with an incident, and of what was like it. */

import { messages } from "../../i18n";

const zh = {
  title: "同期变化", none: "比较了邻近与相互依赖的 {n} 条序列：没有与它同步变化的。", no_series: "该事件不对应单一序列，无从比较。", too_little: "它的序列几乎没有数据，无从比较。",
  along: "同向", against: "反向", sooner: "早 {span}", later: "晚 {span}", at_once: "同时", since: "{at} 起偏离常态",
  upstream: "上游", downstream: "下游", same_sensor: "同一感知点", area: "同区", yesterday: "与昨日同时段之差比较", compared: "比较了 {n} 条序列；r 为相关系数（−1 至 1）",
  before: "相似的往事", no_before: "没有相似的往事。", like_sensor: "同一感知点", like_rule: "同一规则", like_area: "同区", like_category: "同类", like_domain: "同领域",
  took: "历时 {span}", unfinished: "尚未办结", cleared_in: "告警 {span}后恢复", loading: "正在比对…",
};

export type RelatedText = keyof typeof zh;

const en: Record<RelatedText, string> = {
  title: "What moved with it", none: "{n} series near by or dependent were compared: none moved with it.", no_series: "It is about no single series: nothing to compare.", too_little: "Hardly anything was read of its series: nothing to compare.",
  along: "the same way", against: "the other way", sooner: "{span} earlier", later: "{span} later", at_once: "at once", since: "unusual since {at}",
  upstream: "upstream", downstream: "downstream", same_sensor: "same sensor", area: "same district", yesterday: "by what differs from yesterday", compared: "{n} series compared; r is the correlation (−1 to 1)",
  before: "Past incidents like it", no_before: "There was none like it.", like_sensor: "same sensor", like_rule: "same rule", like_area: "same district", like_category: "same category", like_domain: "same domain",
  took: "took {span}", unfinished: "not finished", cleared_in: "alarm gone after {span}", loading: "Comparing…",
};

export const x = messages<RelatedText>(zh, en);

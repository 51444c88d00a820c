/** Texts of the catalogue of data, in the console and on the public page. */

import { messages } from "../i18n";

const zh = {
  product: "一网", open_data: "开放数据", open_more: "城市运行平台向公众开放的数据：无需登录，可检索、可下载。", console: "登录工作台", language: "English", language_title: "Switch to English",
  catalogue: "数据目录", catalogue_more: "有哪些数据、归谁、什么级别、质量如何。", search: "检索名称、说明、部门或字段", domain: "领域", every_domain: "全部领域",
  traffic: "交通", environment: "环境", utilities: "市政", platform: "平台", city: "城市",
  dataset: "数据集", owner: "提供部门", level: "级别", licence: "许可", fresh: "最新", quality: "质量（近一小时）",
  completeness: "完整性", timeliness: "及时性", validity: "有效性",
  completeness_more: "实到读数占应到读数之比", timeliness_more: "整点时最新读数不超过三个周期的序列之比", validity_more: "非坏读数之比",
  none: "没有符合条件的数据集。", failed: "目录暂时取不到，请稍后再试。", not_measured: "未测", interval: "约每 {n} 秒一次", as_it_happens: "随发生更新", sensors: "{n} 个感知点",
  schema: "字段", field: "字段", type: "类型", unit: "单位", trend: "近七天质量", no_trend: "还没有测得质量：每个整点之后测一次。",
  text: "文本", number: "数值", count: "计数", moment: "时间", instant: "时间",
  download: "下载", newest_of_each: "各感知点最新读数", last_day: "近 24 小时全部读数", back: "返回目录", more_about: "说明", "internal-use": "内部使用", dcat: "DCAT-AP（JSON-LD）",
  spark: "{name}：近七天平均 {mean}，最低 {low}", public: "公开", internal: "内部", sensitive: "敏感", core: "核心",
};

type Text = keyof typeof zh;

const en: Record<Text, string> = {
  product: "Yiwang", open_data: "Open data", open_more: "What the city operations platform shares with everybody: no login, to search and to download.", console: "Log in to the console", language: "中文", language_title: "切换为中文",
  catalogue: "Catalogue of data", catalogue_more: "What data there is, whose it is, of what level, and how good it is.", search: "Search names, descriptions, owners, columns", domain: "Domain", every_domain: "every domain",
  traffic: "traffic", environment: "environment", utilities: "utilities", platform: "platform", city: "city",
  dataset: "Dataset", owner: "Owner", level: "Level", licence: "Licence", fresh: "Newest", quality: "Quality (last hour)",
  completeness: "Completeness", timeliness: "Timeliness", validity: "Validity",
  completeness_more: "of the readings that were to be expected", timeliness_more: "of the series, those at most three intervals old on the hour", validity_more: "of the readings, those that are not bad",
  none: "No dataset fits.", failed: "The catalogue cannot be had now; try again later.", not_measured: "not measured", interval: "about every {n} s", as_it_happens: "as things happen", sensors: "{n} sensors",
  schema: "Columns", field: "Column", type: "Type", unit: "Unit", trend: "Quality over seven days", no_trend: "Not measured yet: it is measured after each full hour.",
  text: "text", number: "number", count: "count", moment: "time", instant: "time",
  download: "Download", newest_of_each: "The newest reading of each sensor", last_day: "Every reading of the last 24 hours", back: "Back to the catalogue", more_about: "About", "internal-use": "internal use", dcat: "DCAT-AP (JSON-LD)",
  spark: "{name}: on average {mean} over seven days, {low} at the lowest", public: "public", internal: "internal", sensitive: "sensitive", core: "core",
};

export const c = messages<Text>(zh, en);
export type { Text };

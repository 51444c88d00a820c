/** Texts of the vital signs' page. */

import { messages } from "../../i18n";

const zh = {
  title: "城市运行体征", more: "每个区县、每个领域 0–100 分:越限、失联与告警的感知点按轻重扣分。点选一格看原因。",
  area: "区域", traffic: "交通", environment: "环境", utilities: "市政公用", air: "空气质量 AQI", roads: "路况",
  yesterday: "昨日同时", last_week: "上周同时", now: "现在", figures: "关键指标", no_air: "暂无整点数据", learning: "自由流学习中({n} 个感知点)",
  mean: "均值", max: "最高", min: "最低", sum: "合计",
  A: "畅通", B: "较畅通", C: "缓行", D: "轻度拥堵", E: "中度拥堵", F: "严重拥堵", time_index: "行程时间为畅行的 {n} 倍",
  missing: "数据不足:{what};实际 AQI 可能更高", stations: "{n} 个站点",
  past: "近 24 小时", past_now: "今日", line_yesterday: "昨日", line_week: "上周", no_past: "还没有历史记录;每五分钟记录一次。",
  costs: "扣分的感知点", sensor: "感知点", reading: "读数", away: "偏离", lasting: "持续", points: "扣分",
  heard: "{n} % 有消息", domain_of: "{area} · {domain}",
};

const en: Record<keyof typeof zh, string> = {
  title: "Vital signs", more: "0–100 for each district and domain: sensors out of range, silent or in alarm cost points by how grave that is. Choose a cell to see why.",
  area: "Area", traffic: "Traffic", environment: "Environment", utilities: "Utilities", air: "Air quality (AQI)", roads: "Roads",
  yesterday: "Yesterday", last_week: "Last week", now: "Now", figures: "Key figures", no_air: "no full hour yet", learning: "learning free flow ({n} sensors)",
  mean: "mean", max: "highest", min: "lowest", sum: "total",
  A: "free", B: "reasonably free", C: "slow", D: "light congestion", E: "congestion", F: "heavy congestion", time_index: "Ways take {n} times as long as in free flow",
  missing: "too little data: {what}; the true AQI may be higher", stations: "{n} stations",
  past: "Last 24 hours", past_now: "today", line_yesterday: "yesterday", line_week: "last week", no_past: "No history yet; it is kept every five minutes.",
  costs: "Sensors that cost points", sensor: "Sensor", reading: "Reading", away: "Out of range", lasting: "For", points: "Points",
  heard: "{n} % heard", domain_of: "{area} · {domain}",
};

export const x = messages<keyof typeof zh>(zh, en);

const POLLUTANTS: Readonly<Record<string, string>> = { pm25: "PM2.5", pm10: "PM10", so2: "SO₂", no2: "NO₂", co: "CO", o3: "O₃" };

export function pollutants(codes: readonly string[]): string {
  return codes.map((code) => POLLUTANTS[code] ?? code).join("、");
}

/** Texts of one sensor's page. */

import { messages } from "../i18n";

const zh = {
  back: "全部感知点", quality: "数据质量", quality_day: "近 24 小时：收到 {count} 条，应约 {due} 条（{share}）；标为坏值 {bad} 条", rules: "关注它的规则", no_rules: "没有规则关注这个感知点。", neighbours: "附近的感知点", away: "{n} 米", away_km: "{n} 公里",
  no_neighbours: "附近没有其他感知点。", incidents: "它的事件", no_incidents: "没有事件。", missing: "注册表里没有这个感知点。", updated: "登记更新 {at}", unplaced: "未定位", retired: "已停用",
  never_heard: "从未收到读数", newest: "最新读数 {span}前", limit: "阈值",
};

const en: Record<keyof typeof zh, string> = {
  back: "All sensors", quality: "Quality", quality_day: "Last 24 h: {count} readings of about {due} due ({share}); {bad} marked bad", rules: "Rules that watch it", no_rules: "No rule watches this sensor.", neighbours: "Sensors near by", away: "{n} m", away_km: "{n} km",
  no_neighbours: "There is no other sensor near by.", incidents: "Its incidents", no_incidents: "There is none.", missing: "There is no such sensor in the registry.", updated: "registered {at}", unplaced: "unplaced", retired: "retired",
  never_heard: "never heard of", newest: "newest {span} ago", limit: "limit",
};

export const n = messages<keyof typeof zh>(zh, en);

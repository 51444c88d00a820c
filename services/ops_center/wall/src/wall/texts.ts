import { gatheringEn, gatheringZh } from "../live/step-texts";
import { messages } from "../i18n";

const zh = {
  title: "城市运行一网统管",
  p1: "紧急", p2: "重要", p3: "一般", p4: "提示",
  live: "实时", connecting: "连接中", lost: "链路中断", refused: "凭证失效",
  data_age: "数据 {span}前", no_data: "暂无数据", latency: "时延 {ms} 毫秒", slow: "处理滞后 {span}",
  lost_banner: "与服务器失去联系 · 画面为 {at} 的数据({span}前)· 正在重连",
  refused_banner: "屏幕凭证已失效 · 画面为 {at} 的数据({span}前)· 请联系管理员",
  vitals: "城市运行体征",
  traffic: "交通", environment: "环境", utilities: "市政公用",
  coverage: "{fresh}/{known} 在线",
  incidents: "未结事件", open_total: "共 {n} 件",
  others: "其他", calm: "当前无未结事件", calm_more: "全市运行平稳", recent: "最近办结",
  closed_ago: "{span}前结案",
  open: "待签收", acknowledged: "已签收", dispatched: "已派遣", handling: "处置中",
  resolved: "待核查", closed: "已结案",
  step_open: "立案", step_acknowledged: "签收", step_dispatched: "派遣", step_handling: "处置",
  step_resolved: "反馈",
  overdue: "超时 {span}", cleared: "已恢复", threshold: "阈值",
  layers: "图层", legend_normal: "正常", legend_stale: "失联", legend_bad: "数据异常",
  legend_never: "未接入",
  sensors: "感知点", abnormal: "告警", stale: "失联", never: "未接入", normal: "正常", bad: "数据异常",
  window: "近 {span}",
  language: "EN", theme_light: "浅色", theme_dark: "深色", home: "全市",
  close: "关闭", observed: "{span}前", department: "承办", opened: "立案", deadline: "时限",
  history_none: "暂无历史数据", timeline: "办理过程", unplaced: "未定位",
  ...gatheringZh,
  "incident.opened": "立案", "incident.acknowledged": "签收", "incident.dispatched": "派遣",
  "incident.started": "处置", "incident.resolved": "反馈", "incident.closed": "结案",
  "incident.reopened": "重开", rules: "系统", "incident.cleared": "告警恢复", "incident.refired": "再次告警",
};

const en: Record<keyof typeof zh, string> = {
  title: "City operations",
  p1: "Urgent", p2: "High", p3: "Medium", p4: "Low",
  live: "Live", connecting: "Connecting", lost: "Link lost", refused: "Refused",
  data_age: "data {span} old", no_data: "no data yet", latency: "{ms} ms", slow: "{span} behind",
  lost_banner: "Lost contact with the server · showing data of {at} ({span} ago) · reconnecting",
  refused_banner: "This screen's token is no longer valid · data of {at} ({span} ago)",
  vitals: "Vital signs",
  traffic: "Traffic", environment: "Environment", utilities: "Utilities",
  coverage: "{fresh}/{known} online",
  incidents: "Open incidents", open_total: "{n} in all",
  others: "others", calm: "No open incidents", calm_more: "The city is running normally",
  recent: "Recently closed", closed_ago: "closed {span} ago",
  open: "New", acknowledged: "Acknowledged", dispatched: "Dispatched", handling: "In hand",
  resolved: "To verify", closed: "Closed",
  step_open: "New", step_acknowledged: "Ack.", step_dispatched: "Sent", step_handling: "In hand",
  step_resolved: "Done",
  overdue: "{span} overdue", cleared: "cleared", threshold: "limit",
  layers: "Layers", legend_normal: "Normal", legend_stale: "Silent", legend_bad: "Bad data",
  legend_never: "Not connected",
  sensors: "Sensors", abnormal: "alarm", stale: "silent", never: "not connected", normal: "normal",
  bad: "bad data",
  window: "last {span}",
  language: "中", theme_light: "Light", theme_dark: "Dark", home: "Whole city",
  close: "Close", observed: "{span} ago", department: "With", opened: "Opened", deadline: "Due",
  history_none: "No history yet", timeline: "Steps", unplaced: "unplaced",
  ...gatheringEn,
  "incident.opened": "opened", "incident.acknowledged": "acknowledged",
  "incident.dispatched": "dispatched", "incident.started": "started",
  "incident.resolved": "resolved", "incident.closed": "closed", "incident.reopened": "reopened",
  "incident.cleared": "alarm cleared", "incident.refired": "alarm again", rules: "system",
};

export type Text = keyof typeof zh;
export const t = messages<Text>(zh, en);

/** The text of a key that came from the server, or the key itself. */
export function known(key: string): string {
  return key in zh ? t(key as Text) : key;
}

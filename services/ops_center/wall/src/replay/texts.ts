import { messages } from "../i18n";

const zh = {
  replay: "回放", not_live: "历史画面 · 非实时", play: "播放", pause: "暂停", ended: "已到结尾",
  back: "返回实时", back_in: "{span}后返回实时", earlier: "后退 1 分钟", later: "前进 1 分钟",
  position: "回放位置", speed: "倍速", start: "开始回放", choose: "回放历史", from: "起始时间(北京时间)",
  hour_ago: "1 小时前", day_ago: "昨天此时", recent: "从近期事件开始", cancel: "取消",
  live_news: "实时有 {n} 件新紧急事件", failed: "无法回放:{why}", keys: "空格 播放/暂停 · ← → 一分钟 · R 返回实时",
  lost: "回放中断,正在重连",
};

const en: Record<keyof typeof zh, string> = {
  replay: "Replay", not_live: "Past, not live", play: "Play", pause: "Pause", ended: "At its end",
  back: "Back to live", back_in: "back to live in {span}", earlier: "One minute back", later: "One minute on",
  position: "Position", speed: "Speed", start: "Replay", choose: "Replay the past", from: "From (Beijing time)",
  hour_ago: "An hour ago", day_ago: "This time yesterday", recent: "From a recent incident", cancel: "Cancel",
  live_news: "{n} new urgent incidents live", failed: "Cannot replay: {why}",
  keys: "Space play/pause · ← → one minute · R back to live", lost: "Interrupted, reconnecting",
};

export const t = messages<keyof typeof zh>(zh, en);

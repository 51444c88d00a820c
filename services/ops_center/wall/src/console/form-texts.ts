/** Texts that every form shares. */

import { messages } from "../i18n";

const zh = {
  sending: "正在提交…", cancel: "取消", close: "关闭", save: "保存", required: "必填", number: "请填写数字",
  sure: "确定？", yes: "确定", no: "不了", copy: "复制", copied: "已复制", kept: "我已保存", optional: "可不填",
  once: "只显示这一次，请立即保存", loading: "正在加载…", send_hint: "Ctrl+Enter 提交",
};

const en: Record<keyof typeof zh, string> = {
  sending: "Sending…", cancel: "Cancel", close: "Close", save: "Save", required: "needed", number: "give a number",
  sure: "Sure?", yes: "Yes", no: "No", copy: "Copy", copied: "Copied", kept: "I have kept it", optional: "optional",
  once: "Shown this once: keep it now", loading: "Loading…", send_hint: "Ctrl+Enter sends",
};

export const f = messages<keyof typeof zh>(zh, en);

/** A failure in words for people; the server's own detail follows where it says more. */

import { ApiError } from "../api";
import { messages } from "../i18n";

const zh = {
  unreachable: "无法连接服务器，请检查网络后重试。",
  unauthorised: "登录已过期，请重新登录。",
  forbidden: "您的角色无权执行此操作。",
  missing: "对象不存在，可能已被删除。",
  conflict: "当前状态不允许此操作。",
  invalid: "提交的内容有误。",
  busy: "服务器繁忙，请稍后再试。",
  broken: "服务器出错，已记录。请稍后再试。",
  unknown: "操作未能完成。",
};

const en: Record<keyof typeof zh, string> = {
  unreachable: "The server cannot be reached. Check the network and try again.",
  unauthorised: "Your session has ended. Log in again.",
  forbidden: "Your role may not do this.",
  missing: "It does not exist, or has been removed.",
  conflict: "This is not possible in the present state.",
  invalid: "Something in what you entered is wrong.",
  busy: "The server is busy. Try again in a moment.",
  broken: "The server failed; it has been logged. Try again later.",
  unknown: "This could not be done.",
};

const t = messages<keyof typeof zh>(zh, en);

const BY_STATUS: Readonly<Record<number, keyof typeof zh>> = {
  0: "unreachable", 400: "invalid", 401: "unauthorised", 403: "forbidden", 404: "missing",
  409: "conflict", 422: "invalid", 429: "busy", 502: "busy", 503: "busy", 504: "busy",
};
const DETAIL_HELPS = new Set([400, 403, 409, 422]);

export function inWords(error: unknown): string {
  if (!(error instanceof ApiError)) return t("unknown");
  const words = t(BY_STATUS[error.status] ?? (error.status >= 500 ? "broken" : "unknown"));
  const detail = DETAIL_HELPS.has(error.status) ? error.detail : "";
  return detail ? `${words} ${detail}` : words;
}

/** A rule as `/v1/rules/{id}` has it. */

import type { Condition } from "./condition";
import type { Words } from "./reference";

/** As `PUT` takes it; times are numbers of seconds or such as `1m30s`. */
export interface RuleDocument extends Condition {
  id: string;
  version?: number;
  title: Words;
  metric: string;
  for?: number | string;
  deadband?: number;
  grade?: number;
  priority?: number;
  department?: string | null;
  category?: string | null;
  cause?: string | null;
  deadline?: number | string | null;
  sensors?: string[];
  areas?: string[];
  runbook?: string | null;
  enabled?: boolean;
}

export interface Rule {
  id: string;
  version: number;
  enabled: boolean;
  retired: boolean;
  source: string;
  file: string | null;
  author: string;
  note: string;
  created_at: string;
  document: RuleDocument;
  overrides?: string | null;
}

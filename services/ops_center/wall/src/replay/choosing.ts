import { signal } from "@preact/signals";

/** Whether somebody is choosing what to replay. */
export const choosing = signal(false);

/** A tone for what has just opened: one kind per priority, and only after a gesture. */

import { signal } from "@preact/signals";

import type { Incident, Priority } from "../../live/protocol";

const KEPT_AS = "yiwang.sound";
const QUIET_MS = 2000;
const FLOOD_QUIET_MS = 60_000;
const LOUDNESS = 0.16;
/** Frequencies in Hz, one after another; the most urgent is the highest and the longest. */
const TONES: Record<Priority, readonly number[]> = { 1: [988, 784, 988, 784, 988], 2: [784, 659, 784], 3: [587, 587], 4: [440] };
const TONE_SECONDS = 0.16;

export const soundOn = signal(kept());
/** Whether the browser lets it sound: not before a gesture. */
export const soundReady = signal(false);
/** The priority that sounded last; for whoever checks it without ears. */
export const sounded = signal<{ priority: Priority; at: number } | null>(null);

let context: AudioContext | null = null;

/** From a gesture, else browsers refuse. */
export function setSound(on: boolean): void {
  soundOn.value = on;
  try {
    localStorage.setItem(KEPT_AS, on ? "on" : "off");
  } catch {
    // A locked-down browser keeps the choice for this visit only.
  }
  if (on) wake();
}

/** With the first gesture after a reload the kept choice holds again. */
export function awaitGesture(): () => void {
  const gesture = (): void => void (soundOn.value && wake());
  const events = ["pointerdown", "keydown"] as const;
  events.forEach((name) => addEventListener(name, gesture));
  if (navigator.userActivation?.hasBeenActive) gesture(); // Logging in was one.
  return () => events.forEach((name) => removeEventListener(name, gesture));
}

/** At most one sound at a time; in a flood one a minute, but for priority 1. */
export function announce(opened: readonly Incident[], flood: boolean, now: number): void {
  const worst = Math.min(...opened.map((one) => one.priority)) as Priority;
  const since = now - (sounded.value?.at ?? -Infinity);
  const quiet = flood && worst !== 1 ? FLOOD_QUIET_MS : QUIET_MS;
  if (opened.length === 0 || !soundOn.value || !soundReady.value || since < quiet) return;
  sounded.value = { priority: worst, at: now };
  play(TONES[worst]);
}

function wake(): void {
  context ??= new AudioContext();
  void context.resume().then(() => (soundReady.value = context?.state === "running"));
}

function play(tones: readonly number[]): void {
  if (context === null) return;
  const { currentTime, destination } = context;
  tones.forEach((frequency, place) => {
    const tone = new OscillatorNode(context as AudioContext, { type: "triangle", frequency });
    const volume = new GainNode(context as AudioContext, { gain: 0 });
    const from = currentTime + place * TONE_SECONDS * 1.25;
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(LOUDNESS, from + 0.02);
    volume.gain.linearRampToValueAtTime(0, from + TONE_SECONDS);
    tone.connect(volume).connect(destination);
    tone.start(from);
    tone.stop(from + TONE_SECONDS);
  });
}

function kept(): boolean {
  try {
    return localStorage.getItem(KEPT_AS) === "on";
  } catch {
    return false;
  }
}

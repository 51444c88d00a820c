/**
 * Screenshots against their references. `node compare.mjs compare ACTUAL REFERENCE DIFFERENCE` prints
 * `{"pixels", "different", "colours"}`; `node compare.mjs keep ACTUAL REFERENCE` writes a reference of
 * at most 256 colours; `node compare.mjs shrink PICTURE FACTOR TARGET` one of so many times fewer pixels.
 */

import { readFileSync, writeFileSync } from "node:fs";

import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";
import UPNG from "upng-js";

const COLOURS = 256;
const THRESHOLD = 0.1; // pixelmatch's own; what 256 colours and anti-aliasing leave lies below it

const [, , command, ...files] = process.argv;
if (command === "compare") compare(...files);
else if (command === "keep") keep(...files);
else if (command === "shrink") shrink(...files);
else throw new Error(`unknown command ${command}`);

function compare(actual, reference, difference) {
  const [one, other] = [read(actual), read(reference)];
  const pixels = one.width * one.height;
  let different = pixels;
  if (one.width === other.width && one.height === other.height) {
    const shown = new PNG({ width: one.width, height: one.height });
    different = pixelmatch(one.data, other.data, shown.data, one.width, one.height, { threshold: THRESHOLD });
    if (different > 0) writeFileSync(difference, PNG.sync.write(shown));
  }
  console.log(JSON.stringify({ pixels, different, colours: colours(one) }));
}

/** How many colours the middle of the picture, the map, has. */
function colours({ width, height, data }) {
  const found = new Set();
  for (let y = height >> 2; y < (3 * height) >> 2; y++) {
    for (let x = width >> 2; x < width >> 1; x++) found.add(data.readUInt32LE(4 * (y * width + x)));
  }
  return found.size;
}

function keep(actual, reference) {
  const { width, height, data } = read(actual);
  writeFileSync(reference, Buffer.from(UPNG.encode([new Uint8Array(data).buffer], width, height, COLOURS)));
}

/** Each pixel the mean of the square it stands for. */
function shrink(picture, factor, target) {
  const [{ width, height, data }, by] = [read(picture), Number(factor)];
  const small = new PNG({ width: Math.floor(width / by), height: Math.floor(height / by) });
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      for (let channel = 0; channel < 4; channel++) {
        let sum = 0;
        for (let dy = 0; dy < by; dy++) {
          for (let dx = 0; dx < by; dx++) sum += data[4 * ((y * by + dy) * width + x * by + dx) + channel];
        }
        small.data[4 * (y * small.width + x) + channel] = Math.round(sum / (by * by));
      }
    }
  }
  writeFileSync(target, PNG.sync.write(small));
}

function read(file) {
  return PNG.sync.read(readFileSync(file));
}

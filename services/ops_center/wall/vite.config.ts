import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { defineConfig, type Connect, type Plugin } from "vite";

const page = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** In development, `/console` and `/data` are their pages, as the server has them in production. */
function pageAddresses(): Plugin {
  const rewrite: Connect.NextHandleFunction = (request, _response, next) => {
    request.url = request.url?.replace(/^\/(console|data)(?=$|\?)/, "/$1.html");
    next();
  };
  return {
    name: "page-addresses",
    configureServer: (server) => void server.middlewares.use(rewrite),
    configurePreviewServer: (server) => void server.middlewares.use(rewrite),
  };
}

/** The font's licence goes wherever the font goes. */
function fontLicence(): Plugin {
  return {
    name: "font-licence",
    apply: "build",
    generateBundle() {
      const source = readFileSync(page("node_modules/@fontsource-variable/noto-sans-sc/LICENSE"));
      this.emitFile({ type: "asset", fileName: "assets/noto-sans-sc-OFL.txt", source });
    },
  };
}

/** Scripts and styles also as `.gz`: packed once, as well as can be, not with every request. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle).filter((one) => /\.(js|css)$/.test(one))) {
        const file = join(dir as string, name);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

const backend = process.env["YIWANG_DEV_BACKEND"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/",
  appType: "mpa",
  plugins: [pageAddresses(), fontLicence(), packed()],
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    outDir: "dist",
    chunkSizeWarningLimit: 1400,
    assetsInlineLimit: 0, // the pages' policy knows no fonts in data: addresses
    rollupOptions: {
      input: { wall: page("index.html"), console: page("console.html"), data: page("data.html") },
      output: {
        manualChunks: (id) => (/node_modules\/(maplibre-gl|pmtiles|fflate)\//.test(id) ? "map" : undefined),
      },
    },
  },
  worker: { format: "es" },
  server: { proxy: { "/v1": { target: backend, ws: true } } },
  preview: { proxy: { "/v1": { target: backend, ws: true } } },
});

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// The binary serves what is built here under a strict Content-Security-Policy: nothing inline, no other hosts.
export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    // `npm run dev` next to a running `wirebird serve --dev`.
    proxy: Object.fromEntries(
      [
        '/ws',
        '/sse',
        '/poll',
        '/pub',
        '/api',
        '/echo',
        '/connection',
        '/emulation',
        '/version',
        '/health',
        '/metrics',
      ].map((path) => [path, { target: 'http://127.0.0.1:8000', ws: ['/ws', '/echo', '/connection'].includes(path) }]),
    ),
  },
  test: { include: ['src/**/*.test.ts'] },
});

import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  build: { target: 'es2023' },
  // The SDK's worker is a module with parts of its own.
  worker: { format: 'es' },
  // While developing: its files stay where they are, beside each other, and the deployment comes from `npm run parties`.
  optimizeDeps: { exclude: ['tercet'] },
  server: { host: '127.0.0.1', port: 5173, proxy: { '/tercet.json': 'http://127.0.0.1:8420', '/models': 'http://127.0.0.1:8420' } },
});

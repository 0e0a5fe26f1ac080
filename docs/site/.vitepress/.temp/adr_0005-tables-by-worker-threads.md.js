import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"5. Kernels in worker threads, no SharedArrayBuffer","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0005-tables-by-worker-threads.md","filePath":"adr/0005-tables-by-worker-threads.md"}');
const _sfc_main = { name: "adr/0005-tables-by-worker-threads.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="5-kernels-in-worker-threads-no-sharedarraybuffer" tabindex="-1">5. Kernels in worker threads, no SharedArrayBuffer <a class="header-anchor" href="#5-kernels-in-worker-threads-no-sharedarraybuffer" aria-label="Permalink to &quot;5. Kernels in worker threads, no SharedArrayBuffer&quot;">​</a></h1><p><strong>Context.</strong> A compute party encrypts or decrypts 4 GB per BERT-base run on its main thread, and must build tables and multiply at the same time. The same code will run in browsers without cross-origin isolation.</p><p><strong>Choice.</strong> The main thread keeps the links; tables and products go to workers with their own WebAssembly memory, operands copied, results transferred. Matrices live as column slices in the workers. Elementwise operations stay inline: copying costs more than the work (measured up to 2^20 words).</p><p><strong>Consequence.</strong> Gigabytes of transferred buffers on a heap of 10 MB made V8 collect every 5 MB of traffic, a third of P1&#39;s main thread. <code>daemon/gc.ts</code> lets the heap grow thirtyfold between collections, which brings that to 2 % (both by <code>--trace-gc</code>).</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0005-tables-by-worker-threads.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0005TablesByWorkerThreads = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0005TablesByWorkerThreads as default
};

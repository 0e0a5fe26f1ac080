import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"16. A request has a price, and circuits are shared","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0016-a-request-has-a-price.md","filePath":"adr/0016-a-request-has-a-price.md"}');
const _sfc_main = { name: "adr/0016-a-request-has-a-price.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="16-a-request-has-a-price-and-circuits-are-shared" tabindex="-1">16. A request has a price, and circuits are shared <a class="header-anchor" href="#16-a-request-has-a-price-and-circuits-are-shared" aria-label="Permalink to &quot;16. A request has a price, and circuits are shared&quot;">​</a></h1><p><strong>Context.</strong> Owners are strangers, and a request of some 200 bytes made a compute party build a circuit at once: for BERT-base with 16 texts of 128 tokens 10 seconds of the main thread and 980 MB, most of it lists of indices as long as every tensor that is split, masked or repeated. What a party then stores for the run, and moves, is larger still.</p><p><strong>Decision.</strong></p><ol><li><em>Price first.</em> <code>session/price.ts</code> computes bytes, rounds and memory of a run from shape, configuration and plan by arithmetic that follows the gadgets. Bytes are those of the circuits exactly (generated tokens: at their mean, at most 3 % over). A party weighs the price against budgets of memory and traffic, by session, by address and in all (<code>daemon/budgets.ts</code>, <code>--max-memory</code>, <code>--max-traffic</code>), before its handshake answers, and again before it builds anything.</li><li><em>The first message says what is asked for.</em> The 32 bytes of the handshake that were a hash of the request are now the request itself (<code>requestCode</code>): as binding, and readable.</li><li><em>Patterns instead of lists.</em> A gather is a few strides, or a triangle (<code>compute/pattern.ts</code>). Kernels write the list when they run one and keep lists in a cache of 32 MB for a device.</li><li><em>Built once, in slices.</em> Circuits are public and immutable: <code>session/circuits.ts</code> keeps those of the last shapes (64 MB) for all sessions and builds one layer at a time, giving the thread away in between. A worker could not hand over a circuit, which is objects with functions.</li></ol><p><strong>Consequences.</strong> The circuit of the example takes 3 MB and a fifth of a second, once. Behind a proxy all owners share one address. A gadget that changes its messages must change its price: the test compares them for every architecture, head and plan. Kernels that take strides themselves would save the lists&#39; writing, a few hundredths of a gather&#39;s work; three backends would have to agree on it.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0016-a-request-has-a-price.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0016ARequestHasAPrice = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0016ARequestHasAPrice as default
};

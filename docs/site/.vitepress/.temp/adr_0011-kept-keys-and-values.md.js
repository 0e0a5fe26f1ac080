import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"11. Keys and values are kept as shares, a circuit a step","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0011-kept-keys-and-values.md","filePath":"adr/0011-kept-keys-and-values.md"}');
const _sfc_main = { name: "adr/0011-kept-keys-and-values.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="11-keys-and-values-are-kept-as-shares-a-circuit-a-step" tabindex="-1">11. Keys and values are kept as shares, a circuit a step <a class="header-anchor" href="#11-keys-and-values-are-kept-as-shares-a-circuit-a-step" aria-label="Permalink to &quot;11. Keys and values are kept as shares, a circuit a step&quot;">​</a></h1><p><strong>Decision.</strong> A generated token is a <em>step</em>: a circuit of its own in the same session and attempt. Wires can be kept for the next step (<code>Gates.keep</code>, <code>Gates.kept</code>): every party stores the components that it holds and no message is sent. What is kept is <em>lifted</em>, so that products take it up at once. A step&#39;s randomness has its own number in every nonce (<code>PairPrg.next</code>, given once).</p><p><strong>Why.</strong> Without it every token pays for the whole prefix: for GPT-2 small behind 32 tokens 0.9 GB instead of 32 MB. One long circuit for all steps would need its length in advance and hold all of its correlations at once; steps are dealt one ahead, while the parties compute, so the owner is still in no round trip but its own message out and in. Kept words live in the host&#39;s memory, not on a device, so a step&#39;s end frees the device whole; one upload a step is small beside the rest (2·T·C words a layer).</p><p><strong>Positions are looked up</strong>, not public: with a padded prompt the position of a new token would tell the prompt&#39;s length. Padding stands behind the prompt, where a causal mask hides it from the text; the prompt&#39;s last row is chosen by a product with a secret one-hot row, and steps leave padding out by the owner&#39;s word (ADR 8).</p><p><strong>Ending.</strong> An owner that has seen enough closes its links in the middle of what it deals ahead. Both parties count that as answered, if the owner is really gone, and as a failure of the other party if it is not.</p><p><strong>Cost.</strong> A causal mask saves the exponentials of future keys, not their share of the maximum&#39;s tree, which runs over full rows.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0011-kept-keys-and-values.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0011KeptKeysAndValues = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0011KeptKeysAndValues as default
};

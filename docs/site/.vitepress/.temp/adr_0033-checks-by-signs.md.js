import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"33. Range checks read signs","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0033-checks-by-signs.md","filePath":"adr/0033-checks-by-signs.md"}');
const _sfc_main = { name: "adr/0033-checks-by-signs.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="33-range-checks-read-signs" tabindex="-1">33. Range checks read signs <a class="header-anchor" href="#33-range-checks-read-signs" aria-label="Permalink to &quot;33. Range checks read signs&quot;">​</a></h1><p><strong>Context.</strong> Range checks (ADR 20) cost 1.6 % of the bytes between the compute parties when they were made. The rest of a run has become four times smaller, so they were 7 %. Nearly all of it were tables: 64 entries for an input of GeLU and for a score, 32 for a value.</p><p><strong>Choice.</strong> <em>A magnitude</em> is read by a table of which half of the residues pass. Such a table is a sign, and P1 sends half of it: 8 bits instead of 64. Half of a ring is a power of two and a domain is not, so a public multiple of x is read. The table has a period of 3.5 domains. What one step can reach beyond it is refused by a coarser table behind, mostly a sign of 4 bits. <em>A spread</em> is read by two tables as well, of 16 and of 8 entries, whose intervals have one in common (PROTOCOL §8.3). Where keys are padded, the mark of a key is read once for both.</p><p><strong>What it costs</strong>, everything checked, at BERT-base dimensions and 128 padded tokens: 3.2 % between P1 and P2 instead of 7.0 %, 3.2 % of what P0 sends instead of 2.0 %, 3.2 % of all bytes instead of 6.5 %, and the same rounds. <code>test/mpc/range-check.test.ts</code> holds it. The aim was 3 %.</p><p><strong>What it catches</strong> is the same: every domain is the same or up to a hundredth smaller, and the bit is exact. What always passes is 7/9 of a domain. It was between 3/4 and 7/8, by where the domain lies between two powers of two. So 44.8 instead of 48 pass always of GeLU&#39;s 58, 48.4 instead of 48 of 63, 194 instead of 192 of 250.</p><p><strong>What is left</strong> is the OR: a byte for two tables&#39; bits of an element, and P0&#39;s words. It is half of the costs now.</p><p><strong>Rejected.</strong> <em>Random parities in place of the OR</em>: free, but wrong once in 2^k for k parities, and a kernel. <em>Units of a quarter</em>: half of the domain would pass. <em>A sign for the spread</em>: 8 measured units are 9 true ones, and the tree holds 8. <em>One check a row, of a sum of squares</em>: 3,072 inputs of a GeLU may be 20 each without one beyond 58. <em>Reading what GeLU reads</em>: its message has 7 bits less than the check needs, so it would save nothing.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0033-checks-by-signs.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0033ChecksBySigns = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0033ChecksBySigns as default
};

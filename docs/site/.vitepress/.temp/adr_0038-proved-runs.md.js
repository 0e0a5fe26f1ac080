import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"38. A run whose messages are proved","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0038-proved-runs.md","filePath":"adr/0038-proved-runs.md"}');
const _sfc_main = { name: "adr/0038-proved-runs.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="38-a-run-whose-messages-are-proved" tabindex="-1">38. A run whose messages are proved <a class="header-anchor" href="#38-a-run-whose-messages-are-proved" aria-label="Permalink to &quot;38. A run whose messages are proved&quot;">​</a></h1><p><strong>Context.</strong> Complete sharing (ADR 31) has messages that can be proved, and an engine can prove them (ADR 30). Somebody has to say, for each message, what prover, V and W hold of it, when a proof begins, and how a run ends.</p><p><strong>Halves beside relations.</strong> A gate has <code>halves</code> next to <code>relations</code>: for each shape, how V&#39;s and W&#39;s half is read. The prover runs the readers of both. So there is one description of a half, and prover and verifier cannot differ in it. Readers take messages from a transcript of the links, and masks from draws that the gate owns. A gate&#39;s own steps do not know.</p><p><strong>An observer, not a second engine.</strong> The engine tells an observer when the last message of a gate has passed, while its operands are held, and when a half-round ends. The transcript wraps channels. Without an observer nothing changes.</p><p><strong>The words of a table come from P1&#39;s kernel.</strong> A second description of a table would be one more thing to get wrong: a difference would end honest runs, or prove the wrong function. The kernel adds pads, so a known stream is taken off again.</p><p><strong>Joined choices.</strong> A sum of selections has one answer. Its choices have one X, and no relation each.</p><p><strong>Segments are proved where they end</strong>, in the middle of the online phase. That is safe: what enters a segment is frozen by then, and later messages have other challenges. S0 runs at the end, when P0 waits for its answer anyway.</p><p><strong>One nonce, one session.</strong> A party that draws a fresh nonce for every session needs no list of old ones.</p><p><strong>One error.</strong> Everything that a peer does or leaves out is <code>ERR_SECURITY_VIOLATION</code>, a link that ends too. A cause that differed would tell whoever withholds a message what the others had seen. The price: a broken network is reported as a violation.</p><p><strong>Not taken.</strong> Proofs as messages of gates: they are about many gates. A proof for each message: rounds. Checking what P2 chose alone: the abort would follow from the text.</p><p><strong>Consequences.</strong> No session offers the mode yet. It is refused by name until sessions derive k12, agree on nonces and carry the verdicts.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0038-proved-runs.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0038ProvedRuns = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0038ProvedRuns as default
};

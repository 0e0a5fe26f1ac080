import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"30. The proof engine","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0030-the-proof-engine.md","filePath":"adr/0030-the-proof-engine.md"}');
const _sfc_main = { name: "adr/0030-the-proof-engine.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="30-the-proof-engine" tabindex="-1">30. The proof engine <a class="header-anchor" href="#30-the-proof-engine" aria-label="Permalink to &quot;30. The proof engine&quot;">​</a></h1><p><strong>Context.</strong> In <code>3pc_malicious</code> one party may do anything. Each message then needs a proof, and P0 must not answer in rounds. BERT-base at 128 tokens has 23 million selection tables, 3.8 GB, in rings from one to 64 bits.</p><p><strong>Decision.</strong> One engine (<code>mpc/proof/</code>, PROTOCOL §15) for all three proofs and all messages. It knows relations and keys, and no gates.</p><p><em>Three relations.</em> Matrix, table, choice. A gate describes its messages by shapes, which are public, and hands over halves. Offsets follow from shapes alone, and the prover computes its vectors by the verifiers&#39; own code. So three parties cannot number a scalar differently.</p><p><em>Two-sided binary compression, integer claims, a prime behind them.</em> Sums by random bits cost additions in the ring that a word is in. The lift to a field is exact, because claims are integers and the prime is drawn when they are fixed. Other ways: a ring of 160 bits loses soundness in every round and needs wide words; bits in a field of their own need a second engine.</p><p><em>Tables by digits.</em> All entries of a table are proved at once. A check of the chosen entry alone would make the abort a predicate of the choice, and so of the text.</p><p><em>State machines over bytes.</em> Prover, verifier and witness have no network and no clock. The barrier is not a rule for the session to keep: W has no statement, and V no seed, while a relation is missing. The prover keeps the promise of each answer, so that none is computed twice.</p><p><em>One error.</em> <code>ERR_SECURITY_VIOLATION</code> with a phase, by one path. A seed that is the verdict shows whose it is and costs nothing.</p><p><em>A module of its own.</em> <code>proof.wasm</code> is 40 kB. A page that does not ask for proofs does not load it.</p><p><strong>Consequences.</strong> A second implementation in Python folds dense vectors and gives golden vectors for every byte. Kernels run in the calling thread, and there are none in WGSL yet; the interface is asynchronous for both. A prover keeps a segment&#39;s operands: <code>cutSegments</code> bounds them. With two primes both vectors are held at a time. The composition is our own and unreviewed.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0030-the-proof-engine.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0030TheProofEngine = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0030TheProofEngine as default
};

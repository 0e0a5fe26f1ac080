import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"46. Sessions are handed what proves","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0046-proved-sessions.md","filePath":"adr/0046-proved-sessions.md"}');
const _sfc_main = { name: "adr/0046-proved-sessions.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="46-sessions-are-handed-what-proves" tabindex="-1">46. Sessions are handed what proves <a class="header-anchor" href="#46-sessions-are-handed-what-proves" aria-label="Permalink to &quot;46. Sessions are handed what proves&quot;">​</a></h1><p><strong>Context.</strong> A proved run (ADR 38) needs a session that never came before, a key that the owner lacks, and one way out. Sessions have links, waiting, progress and farewells of their own, and most of them prove nothing.</p><p><strong>Handed, not imported.</strong> A session gets an object that proves (<code>Proving</code>), or none, and then refuses the mode. So a page that does not ask for proofs loads none, and there is no flag: whoever starts parties hands it in, and today tests alone do. The walk of a proved run has the phases of the engine, so both kinds have one session.</p><p><strong>Nonces in messages that are there.</strong> Request and offer carry them; P1 and P2 exchange theirs over their own link. The owner begins with the session that it made. A party that makes another one of its own nonce ends. No list of sessions is kept, and a restart forgets nothing.</p><p><strong>k12 of the link.</strong> TLS exports a key for a label and a session; both ends have it and nobody else. A key of its own handshake would be a second one on a link that has proved both ends. A link without one is refused.</p><p><strong>Verdicts behind the rounds.</strong> P0 hears how far the parties are on the links on which verdicts come. Verdicts for P0 go behind the last half-round. P0 asks for none before, and the prover has its own at once.</p><p><strong>The barrier is the word that a text follows.</strong> ADR 38 makes every link that ends a violation. Before there is a text that would make an alarm of every page that is closed. Nothing follows from a text then, so who leaves is told as leaving.</p><p><strong>Words.</strong> Behind the barrier a compute party says nothing to the owner. Before it, it may say that there was a violation, and the owner believes it: a liar deviates too. Compute parties believe no such word, for strangers can say it.</p><p><strong>A new handshake.</strong> Sessions of the owner have one anyway. P1 and P2 keep links ready, and owners prepare runs. A violation ends both. A cheating owner can make P1 and P2 end their spare links; a session costs one of them anyway.</p><p><strong>Not taken.</strong> An experimental flag: a mode is there or is not. Messages of proofs beside the link&#39;s order: two orders on one link. Blame: of two honest parties each would have to be believed.</p><p><strong>Left.</strong> Commands and pages. Plans and prices of the mode. Tokens behind a prompt, a dealer. A key of P1 and P2 over links that are not TLS.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0046-proved-sessions.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0046ProvedSessions = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0046ProvedSessions as default
};

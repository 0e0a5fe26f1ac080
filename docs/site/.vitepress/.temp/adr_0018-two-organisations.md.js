import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"18. Two organisations pin each other; an authority is a choice","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0018-two-organisations.md","filePath":"adr/0018-two-organisations.md"}');
const _sfc_main = { name: "adr/0018-two-organisations.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="18-two-organisations-pin-each-other-an-authority-is-a-choice" tabindex="-1">18. Two organisations pin each other; an authority is a choice <a class="header-anchor" href="#18-two-organisations-pin-each-other-an-authority-is-a-choice" aria-label="Permalink to &quot;18. Two organisations pin each other; an authority is a choice&quot;">​</a></h1><p><strong>Context.</strong> A party needed a folder with the private keys of all three: right for one user, wrong for two organisations, where an operator with both keys can be both parties to a data owner and read the text. What a page pins (an Ed25519 identity for each party) was not what the parties proved to each other (certificates of a local authority whose key is forgotten).</p><p><strong>Choice.</strong> One identity for each party. On a TLS link between processes a party shows a self-signed certificate <em>of that identity</em>, and the other end compares the key in it with the one that it was told (<code>tercet identity</code>, <code>--peer-identity</code>, <code>--identities</code>). TLS proves that the private half is there. There is no authority to be trusted, nothing ends or is renewed, and what operators compare is what pages pin. A data owner in Node shows no certificate, pins both parties, and takes the signed exchange of browsers inside the link, so it needs nobody&#39;s permission, as a page does.</p><p>Certificates stay for where somebody <em>wants</em> to decide who takes part: <code>tercet certificates request</code> makes a key where it stays, <code>issue</code> makes a certificate for exactly that party, whatever else the request asks for. The keeper of the authority can be any party to any other. For the link between P1 and P2 that gains a compute party nothing (it would speak to itself); to a data owner it gains everything. So the data owners&#39; organisation may keep it, a compute party must not.</p><p>A listener judges a certificate after the TLS handshake and answers in the greeting. A TLS 1.3 server that refuses can only hang up, which may as well mean that it is busy; now both ends know who did not prove itself to whom, and the data owner is told with <code>ERR_IDENTITY_PEERS</code>, in words of its own. What a peer says about proofs towards the data owner itself is never believed: that it knows.</p><p><strong>Consequence.</strong> The local set of three certificates is for this machine; with it alone a party does not listen on, or connect to, any other. An identity is revoked by telling those who pinned it. Data owners of pinned parties are anonymous to them; who may use a model is a matter of the handshake inside the link, for pages and programs alike.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0018-two-organisations.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0018TwoOrganisations = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0018TwoOrganisations as default
};

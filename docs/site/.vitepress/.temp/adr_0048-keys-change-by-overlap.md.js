import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"48. Keys change by overlap","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0048-keys-change-by-overlap.md","filePath":"adr/0048-keys-change-by-overlap.md"}');
const _sfc_main = { name: "adr/0048-keys-change-by-overlap.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="48-keys-change-by-overlap" tabindex="-1">48. Keys change by overlap <a class="header-anchor" href="#48-keys-change-by-overlap" aria-label="Permalink to &quot;48. Keys change by overlap&quot;">​</a></h1><p>A party&#39;s identity is pinned in many places: deployments, the other party, command lines of owners. So it cannot change in all of them at one moment.</p><p><strong>A pin may name two keys.</strong> <code>identity</code> and <code>next: { identity, until }</code> in <code>tercet.json</code>, <code>OLD+NEW@TIME</code> on a command line. Until the time both are accepted, from then on the new one alone. No key of one party may be one of another.</p><p><strong>In this order.</strong> <code>tercet keys rotate</code> makes the new key, and nothing changes. Deployments and the other party accept both. <code>tercet keys promote</code> puts the new key in its place, and SIGHUP makes the running party prove it. Handshakes under way end with the key that they began with. <code>tercet keys revoke</code> destroys the old one.</p><p><strong>Not a statement signed by the old key.</strong> Whoever steals the old key could sign one. A change that pins do not know of is what pins are there to refuse.</p><p><strong>Backups</strong> are one file in the age format, for a recipient or a passphrase, by the library of the format&#39;s author. A restore overwrites nothing and writes nowhere but into the folder.</p><p><strong>What it does not do.</strong> A checkpoint of the audit log is signed by the key of its time: <code>tercet audit verify</code> takes <code>--identity</code> again for the second one. Certificates of an authority are renewed by its keeper; <code>tercet keys check</code> says which end within 30 days.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0048-keys-change-by-overlap.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0048KeysChangeByOverlap = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0048KeysChangeByOverlap as default
};

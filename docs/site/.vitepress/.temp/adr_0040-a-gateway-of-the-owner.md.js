import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse(`{"title":"40. The REST gateway is the data owner's party","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0040-a-gateway-of-the-owner.md","filePath":"adr/0040-a-gateway-of-the-owner.md"}`);
const _sfc_main = { name: "adr/0040-a-gateway-of-the-owner.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="40-the-rest-gateway-is-the-data-owners-party" tabindex="-1">40. The REST gateway is the data owner&#39;s party <a class="header-anchor" href="#40-the-rest-gateway-is-the-data-owners-party" aria-label="Permalink to &quot;40. The REST gateway is the data owner&#39;s party&quot;">​</a></h1><p>Applications that are not written in TypeScript want one HTTP call. Whoever answers it has the text in the clear.</p><p><strong>Decision.</strong> <code>tercet serve</code> is the data owner&#39;s party as a service. It runs inside the trust domain of those whose texts they are, and says so first: on its page, in its document, in <code>--help</code>. The compute parties see neither texts nor answers, as before. There is no gateway at a compute party: it would be the whole text at a stranger&#39;s.</p><ul><li><em>One table.</em> <code>rest/operations.ts</code> has every task with its schema (zod). Checks, types, the OpenAPI 3.1 document and the page come from it. Unknown fields are refused.</li><li><em>Who may call.</em> On this machine, under a name of this machine (a page that rebinds its own name is refused): everybody. Anywhere else it does not start without keys, and TLS or a proxy that is named.</li><li><em>Keys</em> are 32 random bytes behind a public id. A file keeps SHA-256 of each: a slow hash protects passwords, and these are none. They are compared in constant time; a key that nobody knows takes the same steps.</li><li><em>Limits</em> stand before work: key, size of the body, fields, texts a minute, requests of a key, places in the queue. Of those that wait, the one whose key has fewest runs is next.</li><li><em>Ends.</em> A caller that goes away, a time-out and a stop abort the run at all three parties.</li><li><em>Silence.</em> Fastify&#39;s log and error messages are not used, because they quote bodies. Our log takes numbers, switches and words that a program chose, by type; anything else is written as <code>[redacted]</code>.</li><li><em>Stock.</em> Of each model and length that was lately asked for, a run is dealt ahead (<code>owner/stock.ts</code>). A party that asks for its place gets it, and for half a minute nothing new is dealt.</li></ul><p><strong>Libraries.</strong> Fastify 5 (routing, limits, TLS), pino (lines), prom-client (text format); MIT, MIT, Apache-2.0. None is in a page. OpenAPI is made by a hundred lines, so no plug-in is.</p><p><strong>Left out.</strong> Credentials for secret weights, a dealer, deployments by <code>tercet.json</code>: the gateway reaches parties over mutual TLS, by pinned identities or certificates.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0040-a-gateway-of-the-owner.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0040AGatewayOfTheOwner = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0040AGatewayOfTheOwner as default
};

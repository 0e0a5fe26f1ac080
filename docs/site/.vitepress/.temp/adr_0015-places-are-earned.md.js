import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"15. Places are earned, and what a peer says is hearsay","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0015-places-are-earned.md","filePath":"adr/0015-places-are-earned.md"}');
const _sfc_main = { name: "adr/0015-places-are-earned.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="15-places-are-earned-and-what-a-peer-says-is-hearsay" tabindex="-1">15. Places are earned, and what a peer says is hearsay <a class="header-anchor" href="#15-places-are-earned-and-what-a-peer-says-is-hearsay" aria-label="Permalink to &quot;15. Places are earned, and what a peer says is hearsay&quot;">​</a></h1><p><strong>Context.</strong> Owners are strangers. One that opened a link held a place for as long as it liked; eight of them, or eight idle tabs, locked everybody out. 64 silent TCP connections kept the compute parties from each other. One control message with the right error code ended a party&#39;s process, because errors were judged by their code, wherever they came from.</p><p><strong>Choice.</strong> <em>Places</em> (<code>daemon/places.ts</code>, <code>session/place.ts</code>): each step of an owner has a limit, dealing one that grows with what is dealt, and a prepared session is asked to leave after ten minutes. When all places are taken, the session that has only waited for longest gives way, first of the address that has most; who is at work is never disturbed. A prepared owner is <em>asked</em>: it leaves, or says that its text follows after all, so nothing is lost half-way; it prepares anew when there is a text. A place that is <em>being left</em> (its owner has gone, or its session is over but for last words and links) is waited for before anybody is asked: an owner leaves both parties at once, and they must not ask two owners for the place of one. <em>Connections</em> (<code>net/wire/unfinished.ts</code>): only those that proved nothing are counted, in all and by address, and the oldest of the largest crowd gives way. Party 2 keeps spare links to party 1, and the address of a known party keeps its room. <em>Provenance</em> (<code>core/told.ts</code>): failures are told in the words of a fixed table, and heard as codes that can only speak of another party or a link. A process ends by its own device&#39;s fault object, and by nothing else.</p><p><strong>Rejected.</strong> Refusing newcomers beyond a limit by address: behind a proxy all owners have one. Sessions multiplexed over one link of the compute parties: another layer of flow control under the heaviest traffic.</p><p><strong>Consequence.</strong> Strangers can still make a party busy by doing an owner&#39;s work. Behind a proxy on another machine <code>--max-sessions-per-address</code> must be raised.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0015-places-are-earned.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0015PlacesAreEarned = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0015PlacesAreEarned as default
};

import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"41. A party that is left running","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0041-a-party-left-running.md","filePath":"adr/0041-a-party-left-running.md"}');
const _sfc_main = { name: "adr/0041-a-party-left-running.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="41-a-party-that-is-left-running" tabindex="-1">41. A party that is left running <a class="header-anchor" href="#41-a-party-that-is-left-running" aria-label="Permalink to &quot;41. A party that is left running&quot;">​</a></h1><p><strong>Stop.</strong> The first SIGTERM or SIGINT drains: nobody new is taken, who only waits for a text is asked to leave, who is at work has <code>--drain</code> seconds. Then, or at a second signal, everything is aborted. Parties of another command end at once.</p><p><strong>Reload.</strong> SIGHUP reads models and certificates again. New ones are loaded and checked whole before anything changes, so what cannot be read changes nothing. Sessions keep what they began with. A handshake looks an enrolment up when it asks for it. A copy made at start would leave a model that came later open to everybody.</p><p><strong>Health.</strong> <code>/livez</code> says that the process answers. <code>/readyz</code> says that it could serve: its device is alive, it is not about to stop, and a link with the other compute party stands, which both have proved. A gateway <em>knocks</em> at both parties: a greeting without a session, answered and hung up, which proves who is there and takes no place. Answers hold for five seconds.</p><p><strong>Metrics.</strong> They have an address of their own. Labels are of fixed lists; what is on none is <code>other</code>. So nothing grows with what strangers send, and nothing names an owner. <code>mpc_gpu_utilization_percent</code> is the share of time with a run on the graphics device: WebGPU tells no other utilisation.</p><p><strong>Errors.</strong> The code of a <code>TercetError</code> decides its class. So <code>instanceof</code> holds wherever an error was made, and behind a port where it is made again from its code.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0041-a-party-left-running.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0041APartyLeftRunning = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0041APartyLeftRunning as default
};

import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"Examples","description":"","frontmatter":{},"headers":[],"relativePath":"examples/index.md","filePath":"examples/index.md"}');
const _sfc_main = { name: "examples/index.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="examples" tabindex="-1">Examples <a class="header-anchor" href="#examples" aria-label="Permalink to &quot;Examples&quot;">​</a></h1><p>Each folder is a package of its own: copy it, <code>npm install</code>, <code>npm start</code>. <code>npm run examples</code> at the root runs all of them on the tarball that <code>npm pack</code> makes, never on <code>src</code>.</p><table tabindex="0"><thead><tr><th></th><th></th></tr></thead><tbody><tr><td><a href="./node-script/">node-script</a></td><td>Sorts lines of text by mood</td></tr><tr><td><a href="./html/">html</a></td><td>Three files</td></tr><tr><td><a href="./vite/">vite</a></td><td>Marks the names in a text</td></tr><tr><td><a href="./react/">react</a></td><td><code>useModel</code> holds a model for as long as a component stands, and lets go of it in strict mode too</td></tr><tr><td><a href="./worker/">worker</a></td><td>The party runs in your worker, not in one of the package</td></tr><tr><td><a href="./widget-csp/">widget-csp</a></td><td>A newspaper that cannot read the letters typed on its page</td></tr><tr><td><a href="./widget-frameworks/">widget-frameworks</a></td><td>The widget in React and in Vue, typed</td></tr><tr><td><a href="./fastify/">fastify</a></td><td><code>POST /classify</code> with a text gives a label</td></tr><tr><td><a href="./two-hosts/">two-hosts</a></td><td>Two organisations on two machines, and a data owner on a third, from one script</td></tr><tr><td><a href="./notebook/">notebook</a></td><td>Jupyter asks the REST gateway, and draws a bar chart</td></tr></tbody></table><p><code>tercet demo</code> starts both parties on one machine. That is for trying: whoever runs both can put the text together (<a href="./../#who-may-collude-with-whom">who may collude with whom</a>).</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("examples/index.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const index = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  index as default
};

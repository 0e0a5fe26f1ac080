import { ssrRenderAttrs } from "vue/server-renderer";
import { useSSRContext } from "vue";
import { _ as _export_sfc } from "./plugin-vue_export-helper.1tPrXgE0.js";
const __pageData = JSON.parse('{"title":"39. One folder for browsers","description":"","frontmatter":{},"headers":[],"relativePath":"adr/0039-one-folder-for-browsers.md","filePath":"adr/0039-one-folder-for-browsers.md"}');
const _sfc_main = { name: "adr/0039-one-folder-for-browsers.md" };
function _sfc_ssrRender(_ctx, _push, _parent, _attrs, $props, $setup, $data, $options) {
  _push(`<div${ssrRenderAttrs(_attrs)}><h1 id="39-one-folder-for-browsers" tabindex="-1">39. One folder for browsers <a class="header-anchor" href="#39-one-folder-for-browsers" aria-label="Permalink to &quot;39. One folder for browsers&quot;">​</a></h1><p>A page needs a worker, kernels in workers of that worker, and a WebAssembly module. The compiler wrote them apart (<code>sdk/worker/</code>, <code>compute/kernels/wasm/</code>), and each found the others by <code>new URL(&#39;../../…&#39;, import.meta.url)</code>. Vite and webpack rewrite such addresses. esbuild and Rollup leave them as they stand, so they pointed beside the output, and the README named a file that was not there. A page without a bundler could not resolve <code>comlink</code> or <code>zod</code>.</p><p><strong>Decision.</strong> <code>scripts/build-web.mjs</code> bundles the SDK for browsers into <code>dist/web</code>. No import leaves the folder, and every address in it is <code>./name</code>. The conditions <code>browser</code> and <code>default</code> of <code>package.json</code> lead there; <code>node</code> leads to the modules as they were compiled. A bundler that knows workers finds them in <code>new Worker(new URL(&#39;./name&#39;, …))</code>. With any other the folder is copied beside the output. The build fails on an address that it has no place for, and on an import of what is not in the folder.</p><p><strong>What is tested is what is installed.</strong> <code>scripts/examples.mjs</code> packs once. The sample in CI unpacks the tarball beside links to the dependencies that it declares, so one that is not declared is not found. <code>npm run examples</code> installs it by npm, and runs every example and four bundlers in Chromium. Their tools are pinned by <code>examples/package-lock.json</code>, which knows nothing of this package: nobody who builds Tercet downloads them.</p><p><strong>Left out.</strong> CommonJS: <code>require</code> of modules works in every Node.js that is supported. Source maps in the tarball: they named sources that are not in it.</p><p><strong>The price.</strong> Code for browsers is in the tarball twice, as modules to read and as the folder to serve.</p></div>`);
}
const _sfc_setup = _sfc_main.setup;
_sfc_main.setup = (props, ctx) => {
  const ssrContext = useSSRContext();
  (ssrContext.modules || (ssrContext.modules = /* @__PURE__ */ new Set())).add("adr/0039-one-folder-for-browsers.md");
  return _sfc_setup ? _sfc_setup(props, ctx) : void 0;
};
const _0039OneFolderForBrowsers = /* @__PURE__ */ _export_sfc(_sfc_main, [["ssrRender", _sfc_ssrRender]]);
export {
  __pageData,
  _0039OneFolderForBrowsers as default
};

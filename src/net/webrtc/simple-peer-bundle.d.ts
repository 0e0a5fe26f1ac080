/** simple-peer with its Node parts bundled in: what a page can load without polyfills. */
declare module 'simple-peer/simplepeer.min.js' {
  import type Peer from 'simple-peer';

  const SimplePeer: Peer.SimplePeer;
  // biome-ignore lint/style/noDefaultExport: the package has one
  export default SimplePeer;
}

/** Styles that a view brings with it: the bundler puts them into the page. */
declare module '*.css';

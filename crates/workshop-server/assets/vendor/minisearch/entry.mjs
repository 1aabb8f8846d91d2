// The search engine of the site's index, and nothing else.
export { default } from 'minisearch';

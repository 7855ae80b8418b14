// Svelte 5 reads TypeScript types by itself; there is nothing to prepare.
export default {};

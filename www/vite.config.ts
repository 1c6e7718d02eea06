import { defineConfig } from "vite";

export default defineConfig({
  // Relative addresses, so that the built page can be served from any folder.
  base: "./",
  build: {
    target: "es2022",
    // What a page downloads is measured; inlined assets would hide in the script.
    assetsInlineLimit: 0,
  },
});

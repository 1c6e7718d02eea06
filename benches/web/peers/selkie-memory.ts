import { selkie } from "./selkie.js";

export const peer = selkie("memory");

import * as selkie from "/pkg/dist/inline.js";
import { begin } from "./scope.js";

begin(selkie);

import * as selkie from "/pkg/dist/index.js";
import { begin } from "./scope.js";

begin(selkie);

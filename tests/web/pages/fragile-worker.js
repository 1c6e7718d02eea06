/** The package's worker, which ends when it is told to. */

import "/pkg/dist/worker.js";

new BroadcastChannel("fragile").onmessage = () => close();

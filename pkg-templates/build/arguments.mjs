// Which references of the code are of no use because it comes to a call that never returns: what a panic would say.
//
// From the reference straight on there are only instructions that compute and store, and then that call. Whatever they
// leave is not read by anybody.

const [CALL, CONSTANTS, INDICES] = [0x10, [0x41, 0x42], [0x20, 0x21, 0x22]];
/** Loads and stores, each with an alignment and an offset. */
const isAccess = (opcode) => opcode >= 0x28 && opcode <= 0x3e;
/** Comparisons and arithmetic, without anything after the opcode. */
const isComputation = (opcode) => opcode >= 0x45 && opcode <= 0xc4;

function skipNumber(code, offset) {
  let end = offset;
  while (code[end] >= 0x80) end++;
  return end + 1;
}

function callee(code, offset) {
  let index = 0;
  for (let at = offset, shift = 0; ; at++, shift += 7) {
    index += (code[at] & 0x7f) * 2 ** shift;
    if (code[at] < 0x80) return index;
  }
}

/** Whether the code goes on to a call of one of the functions. `offset` is where the operand of an instruction begins. */
export function comesToCall(code, offset, isCalled) {
  for (let at = skipNumber(code, offset); ; ) {
    const opcode = code[at++];
    if (opcode === CALL) return isCalled(callee(code, at));
    if (CONSTANTS.includes(opcode) || INDICES.includes(opcode)) at = skipNumber(code, at);
    else if (isAccess(opcode)) at = skipNumber(code, skipNumber(code, at));
    else if (!isComputation(opcode)) return false;
  }
}

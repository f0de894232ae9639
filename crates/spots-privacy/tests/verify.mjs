// An independent verifier of the ledger's formats: Node's standard library alone, none of our code.
// node verify.mjs vectors/ledger.json: exits 0 when everything in it holds, and nothing altered does.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const list = (...parts) => Buffer.concat(parts.flatMap((part) => {
  const bytes = Buffer.from(part);
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(bytes.length));
  return [length, bytes];
}));
const base64 = (text) => Buffer.from(text, 'base64');
const check = (holds, what) => { if (!holds) throw new Error(what); };

function openNote(note, key) {
  const [name, hash, encoded] = key.split('+', 2).concat(key.split('+').slice(2).join('+'));
  const keyBytes = base64(encoded);
  check(keyBytes.length === 33 && keyBytes[0] === 1, 'the key is Ed25519');
  const id = sha256(name, '\n', keyBytes).subarray(0, 4);
  check(id.toString('hex') === hash, 'the key names itself');
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), keyBytes.subarray(1)]);
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  for (const line of note.slice(end + 2).split('\n').filter(Boolean)) {
    const [, signer, signature] = line.match(/^\u2014 (\S+) (\S+)$/);
    const bytes = base64(signature);
    if (signer === name && bytes.subarray(0, 4).equals(id)) {
      check(verify(null, Buffer.from(text), publicKey, bytes.subarray(4)), 'the signature fits');
      return text;
    }
  }
  throw new Error('not signed by this key');
}

const leafOf = (entry) => sha256(Buffer.from([0]), list(
  'spots.ledger.entry.1', entry.host, entry.share, entry.field, entry.kind,
  base64(entry.stamp), base64(entry.commitment),
));
const nodeOf = (left, right) => sha256(Buffer.from([1]), left, right);

// RFC 9162, 2.1.3, from the definition: which side the leaf is on at each split, then upwards.
function rootFrom(leaf, index, size, proof) {
  const sides = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + 2 ** Math.floor(Math.log2(end - start - 1));
    if (index < middle) { sides.push('left'); end = middle; } else { sides.push('right'); start = middle; }
  }
  check(sides.length === proof.length, 'the proof has the length of the path');
  return sides.reverse().reduce((hash, side, step) => (
    side === 'left' ? nodeOf(hash, proof[step]) : nodeOf(proof[step], hash)
  ), leaf);
}

function checkpointOf(note, key) {
  const [origin, size, root] = openNote(note, key).split('\n');
  check(origin === key.split('+')[0], 'the origin is the key\'s name');
  return { size: Number(size), root: base64(root) };
}

function verifyReceipt(receipt, key) {
  const unsigned = JSON.stringify({ ...receipt, signature: '' });
  const [label, origin, hash] = openNote(receipt.signature, key).split('\n');
  check(label === 'spots.receipt.1' && origin === key.split('+')[0], 'it is signed as a receipt');
  check(hash === sha256(unsigned).toString('base64'), 'this receipt is what was signed');
  const requirements = sha256(receipt.ledger.requirements).toString('base64');
  for (const entry of receipt.ledger.entries) {
    check(entry.share === receipt.record_id, 'the entry is of this share');
    if (entry.salt !== null) {
      const facts = entry.kind === 'granted'
        ? [requirements, entry.expires_at] : [];
      const commitment = sha256(list(
        base64(entry.salt), entry.kind, entry.host, entry.share, entry.field, entry.moment, ...facts,
      ));
      check(commitment.equals(base64(entry.commitment)), 'the facts are those that were entered');
    }
    if (entry.inclusion !== null) {
      const { size, root } = checkpointOf(receipt.ledger.checkpoint, key);
      const proof = entry.inclusion.hashes.map(base64);
      const computed = rootFrom(leafOf(entry), entry.inclusion.leaf_index, size, proof);
      check(computed.equals(root), 'the entry is in the ledger');
    }
  }
}

const fails = (work, what) => {
  try { work(); } catch { return; }
  throw new Error(`accepted: ${what}`);
};

const vectors = JSON.parse(readFileSync(process.argv[2], 'utf8'));
let checked = 0;
for (const { entry, leaf } of vectors.entries) {
  check(leafOf(entry).toString('base64') === leaf, 'the leaf is ours');
  checked += 1;
}
for (const { note, size, root } of vectors.checkpoints) {
  const read = checkpointOf(note, vectors.key);
  check(read.size === size && read.root.toString('base64') === root, 'the checkpoint is ours');
  fails(() => checkpointOf(note.replace(`\n${size}\n`, `\n${size + 1}\n`), vectors.key), 'another size');
  checked += 1;
}
for (const text of vectors.receipts) {
  const receipt = JSON.parse(text);
  verifyReceipt(receipt, vectors.key);
  const altered = structuredClone(receipt);
  altered.pii_processing[0].purpose = 'To sell it.';
  fails(() => verifyReceipt(altered, vectors.key), 'another purpose');
  checked += 1;
}
openNote(vectors.certificate, vectors.key);
console.log(`${checked + 1} hold`);

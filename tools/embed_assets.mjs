// embed_assets.mjs FOLDER OUT.cc: the files of a built page as one C++ source that defines api::assets().
// Compressed once, here, as hard as gzip goes; the server never compresses them again.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';

const kContentTypes = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

const [folder, out] = process.argv.slice(2);
if (!folder || !out) throw new Error('usage: embed_assets.mjs FOLDER OUT.cc');

function* filesIn(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

// One string literal per line. Octal escapes always have three digits, so a digit after one cannot join it.
function literal(bytes) {
  const lines = [];
  for (let start = 0; start < bytes.length; start += 64) {
    let line = '';
    for (const byte of bytes.subarray(start, start + 64)) {
      const plain = byte >= 0x20 && byte < 0x7f && !'"\\?'.includes(String.fromCharCode(byte));
      line += plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
    }
    lines.push(`    "${line}"`);
  }
  return lines.length > 0 ? lines.join('\n') : '    ""';
}

const assets = [...filesIn(folder)].map((file) => {
  const name = `/${relative(folder, file).split(sep).join('/')}`;
  const type = kContentTypes[extname(file)];
  if (!type) throw new Error(`${name}: no content type for this ending`);
  const bytes = readFileSync(file);
  const gzip = gzipSync(bytes, { level: 9 });
  return {
    path: name === '/index.html' ? '/' : name,
    type,
    etag: createHash('sha256').update(bytes).digest('hex').slice(0, 16),
    bytes,
    gzip: gzip.length < bytes.length ? gzip : Buffer.alloc(0),
  };
});
assets.sort((a, b) => (a.path < b.path ? -1 : 1));

const constants = assets.flatMap(({ bytes, gzip }, i) => [
  `constexpr std::string_view kBytes${i}{\n${literal(bytes)},\n    ${bytes.length}};`,
  `constexpr std::string_view kGzip${i}{\n${literal(gzip)},\n    ${gzip.length}};`,
]);
const rows = assets.map(
  ({ path, type, etag }, i) => `    {"${path}", "${type}", "\\"${etag}\\"", kBytes${i}, kGzip${i}},`,
);
writeFileSync(
  out,
  `// Made by tools/embed_assets.mjs from the built page.
#include "api/assets.h"

namespace api {
namespace {

${constants.join('\n\n')}

constexpr Asset kAssets[] = {
${rows.join('\n')}
};

}  // namespace

std::span<const Asset> assets() { return kAssets; }

}  // namespace api
`,
);

const total = (field) => assets.reduce((sum, asset) => sum + (asset[field].length || asset.bytes.length), 0);
console.log(`embedded ${assets.length} files, ${total('bytes')} bytes, ${total('gzip')} compressed`);

/*
 * The browser's bundle of buf/validate keeps what an error carries (Violations and what stands in them) and leaves out the rules
 * themselves: only a server checks rules, and their descriptor alone is 14 kB of the page. The result is made from the generated file
 * at each build, so that it cannot differ from it.
 */
const { create, fromBinary, toBinary } = require("@bufbuild/protobuf");
const { FileDescriptorProtoSchema } = require("@bufbuild/protobuf/wkt");

const KEPT = new Set(["Violations", "Violation", "FieldPath", "FieldPathElement"]);
const DESCRIPTOR = "google/protobuf/descriptor.proto";

module.exports = function leanValidate(source) {
  const encoded = /fileDesc\("([^"]+)"/.exec(source)?.[1];
  if (encoded === undefined) throw new Error("buf/validate: the generated file has no descriptor");
  const file = fromBinary(FileDescriptorProtoSchema, Buffer.from(encoded, "base64"));
  const messageType = file.messageType.filter((message) => KEPT.has(message.name));
  if (messageType.length !== KEPT.size) throw new Error("buf/validate: a message of Violations is missing");
  const lean = create(FileDescriptorProtoSchema, {
    name: file.name,
    package: file.package,
    syntax: file.syntax,
    edition: file.edition,
    dependency: [DESCRIPTOR],
    messageType,
  });
  const bytes = Buffer.from(toBinary(FileDescriptorProtoSchema, lean)).toString("base64");
  return [
    'import { fileDesc, messageDesc } from "@bufbuild/protobuf/codegenv2";',
    'import { file_google_protobuf_descriptor } from "@bufbuild/protobuf/wkt";',
    `export const file_buf_validate_validate = /*@__PURE__*/ fileDesc("${bytes}", [file_google_protobuf_descriptor]);`,
    ...messageType.map(
      (message, at) =>
        `export const ${message.name}Schema = /*@__PURE__*/ messageDesc(file_buf_validate_validate, ${at});`,
    ),
  ].join("\n");
};

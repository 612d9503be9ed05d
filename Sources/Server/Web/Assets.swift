// SPDX-License-Identifier: Apache-2.0
// Style sheet, icons and modules, under an address that changes when one of them does.

internal import Bytes
internal import Crypto
internal import Foundation
internal import Hummingbird

/// The files that pages load.
struct Assets: Sendable {
    private struct File: Sendable {
        let bytes: ByteBuffer
        let type: String
    }

    private let files: [String: File]
    /// Folder of all of them: `/assets/` and the beginning of their hash.
    let root: String

    /// Reads them from the program's resources.
    init() throws {
        let folder = Bundle.module.bundleURL.appending(path: "Assets")
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
        var files: [String: File] = [:]
        var hash = SHA256()
        for path in paths {
            guard let type = Self.types[(path as NSString).pathExtension] else { continue }
            let data = try Data(contentsOf: folder.appending(path: path))
            hash.update(data: Data(path.utf8))
            hash.update(data: data)
            files[path] = File(bytes: ByteBuffer(bytes: data), type: type)
        }
        files[Self.script] = File(
            bytes: ByteBuffer(string: Self.bundle(files)), type: Self.types["js", default: ""])
        self.files = files
        root = "/assets/" + Array(hash.finalize()).hexadecimal.prefix(16)
    }

    /// The one script that pages load.
    private static let script = "modules/relais.js"

    /// All modules as one script, so that a first page asks for it once: each in a function of its own.
    private static func bundle(_ files: [String: File]) -> String {
        let modules = files.filter { $0.key.hasPrefix("modules/") }.sorted { $0.key < $1.key }
        let parts = modules.map { path, file in
            let name = (path as NSString).lastPathComponent.dropLast(".js".count)
            let text = String(buffer: file.bytes).replacing(
                #/(?m)^export (?=(?:async )?function start\()/#, with: "")
            return "modules.\(name) = (() => {\n\(text)return { start };\n})();\n"
        }
        return "const modules = {};\n" + parts.joined() + "modules.relais.start(modules);\n"
    }

    private static let types = [
        "json": "application/json; charset=utf-8", "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
    ]

    /// Answers requests for them; another hash is answered with the file of today, which must not be kept.
    func add(to router: Router<WebContext>) {
        router.get("assets/:hash/**") { request, context in
            guard let hash = context.parameters.get("hash"),
                let file = files[context.parameters.getCatchAll().joined(separator: "/")]
            else { throw HTTPError(.notFound) }
            let isCurrent = root.hasSuffix(hash)
            return Response(
                status: .ok,
                headers: [
                    .contentType: file.type,
                    .cacheControl: isCurrent ? "public, max-age=31536000, immutable" : "no-store",
                ],
                body: .init(byteBuffer: file.bytes))
        }
    }
}

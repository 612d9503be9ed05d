// SPDX-License-Identifier: Apache-2.0
// Takes the attachments out of a message, however large it is and however deep they lie.

package import Diagnostics
internal import FileTransfer
internal import Foundation

/// A file that came with a message.
package struct MailAttachment: Sendable {
    /// The name that its sender gave it, without what would lead elsewhere; made up where there is none.
    package let name: String
    /// Where its bytes are.
    package let path: String
    /// Why it is not what was sent; its bytes are those that came.
    package var problem: Diagnostic?
}

/// Reads a message once, from front to back, and writes each attachment to a file.
///
/// Bodies (`text/plain` and `text/html` without a name), pictures shown inside them and signatures are no attachments;
/// those of a forwarded message are. What is wrong with one attachment leaves the others alone.
///
/// - Source: RFC 2045, RFC 2046 section 5, RFC 2183.
package struct MailAttachments {
    /// What a hostile message may cost at most.
    private enum Limit {
        static let header = 256 << 10
        static let depth = 32
        static let parts = 1000
        static let line = 64 << 10
    }

    private enum State {
        /// Lines of a header, and how many bytes they have.
        case header([[UInt8]], Int)
        /// What nobody wants: bodies, and what stands before and behind parts.
        case skipped
        /// An attachment on its way to its file.
        case body(OpenAttachment)
    }

    private let folder: String
    private let place: Place
    private let isMeant: (String) -> Bool
    /// Boundaries of the parts that we are in, outermost first.
    private var boundaries: [[UInt8]] = []
    private var state = State.header([], 0)
    private var partCount = 0
    private var attachments: [MailAttachment] = []

    private init(_ folder: String, _ place: Place, _ isMeant: @escaping (String) -> Bool) {
        self.folder = folder
        self.place = place
        self.isMeant = isMeant
    }

    /// The attachments of the message in a file.
    ///
    /// - Parameters:
    ///   - folder: gets a file for each, under a name of its own.
    ///   - place: how findings name the message.
    ///   - isMeant: whether an attachment of this name is wanted.
    /// - Throws: `MAIL-HEADER`, `MAIL-LIMIT`; `FILE-…` where a file cannot be read or written.
    package static func read(
        _ path: String, into folder: String, at place: Place, where isMeant: @escaping (String) -> Bool
    ) throws -> [MailAttachment] {
        let file = try LocalFile(path)
        var reader = MailAttachments(folder, place, isMeant)
        var lines = LineCutter(limit: Limit.line)
        while true {
            let bytes = try file.read(upTo: 256 << 10)
            try lines.cut(bytes, isLast: bytes.isEmpty) { line, isWhole in try reader.take(line, isWhole) }
            if bytes.isEmpty { break }
        }
        return try reader.finish()
    }

    /// Takes a line with its end, or a piece of one that is too long.
    ///
    /// - Parameter isWhole: whether it begins where a line does.
    private mutating func take(_ line: [UInt8], _ isWhole: Bool) throws {
        if isWhole, line.starts(with: "--".utf8), try crossBoundary(line) { return }
        switch state {
        case .skipped: break
        case .header(var lines, let size):
            guard size + line.count <= Limit.header else { throw limit("header", Limit.header) }
            let content = line.withoutLineEnd
            guard !content.isEmpty else { return try enter(MailHeader(lines)) }
            state = .skipped
            lines.append(content)
            state = .header(lines, size + line.count)
        case .body(let open):
            try open.take(line)
        }
    }

    /// Ends the part at hand where a line is the boundary of one that we are in.
    ///
    /// - Source: RFC 2046, section 5.1.1.
    private mutating func crossBoundary(_ line: [UInt8]) throws -> Bool {
        let text = line.withoutLineEnd.dropFirst(2)
        for level in boundaries.indices.reversed() where text.starts(with: boundaries[level]) {
            let rest = text.dropFirst(boundaries[level].count)
            let isClosing = rest.starts(with: "--".utf8)
            guard rest.dropFirst(isClosing ? 2 : 0).allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else { continue }
            try close(isCut: level != boundaries.count - 1)
            boundaries.removeSubrange((isClosing ? level : level + 1)...)
            partCount += 1
            guard partCount <= Limit.parts else { throw limit("parts", Limit.parts) }
            state = isClosing ? .skipped : .header([], 0)
            return true
        }
        return false
    }

    /// Begins what a header describes.
    private mutating func enter(_ header: MailHeader) throws {
        let type = header.type
        if type.word.hasPrefix("multipart/"), let boundary = type["boundary"], !boundary.isEmpty {
            guard boundaries.count < Limit.depth else { throw limit("depth", Limit.depth) }
            boundaries.append(Array(boundary.utf8))
            state = .skipped
            return
        }
        if partCount == 0, header.isEmpty { throw MailError(.header, at: place) }
        let encoding = header["content-transfer-encoding"].lowercased()
        if type.word == "message/rfc822", encoding != "base64", encoding != "quoted-printable" {
            state = .header([], 0)
            return
        }
        guard let name = attachmentName(header), isMeant(name) else { return state = .skipped }
        state = .body(
            try OpenAttachment(
                name, TransferDecoder.Encoding(rawValue: encoding.isEmpty ? "7bit" : encoding), encoding,
                in: folder, place))
    }

    /// The name of the attachment that a header announces; nil for what is none.
    private func attachmentName(_ header: MailHeader) -> String? {
        let (type, disposition, given) = (header.type, header.disposition, header.fileName)
        let isText = ["text/plain", "text/html"].contains(type.word)
        let isPicture = type.word.hasPrefix("image/") && !header["content-id"].isEmpty
        let isSignature = [
            "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
        ].contains(type.word)
        if isSignature { return nil }
        if disposition.word != "attachment", isPicture || isText && given == nil { return nil }
        let last = given?.split(whereSeparator: { "/\\".contains($0) }).last.map(String.init) ?? ""
        let name = String(
            String.UnicodeScalarView(last.unicodeScalars.filter { $0.properties.generalCategory != .control })
        ).trimmingBlanks
        if FileNames.isPlain(name) { return name }
        return "attachment-\(attachments.count + 1)\(Self.suffix(of: type.word))"
    }

    private static func suffix(of type: String) -> String {
        switch type {
        case "application/pdf": ".pdf"
        case "application/xml", "text/xml": ".xml"
        case "text/csv": ".csv"
        case "application/zip": ".zip"
        case "application/json": ".json"
        case "message/rfc822": ".eml"
        case "text/plain": ".txt"
        default: ".bin"
        }
    }

    private mutating func close(isCut: Bool) throws {
        guard case .body(let open) = state else { return }
        attachments.append(try open.finish(isCut: isCut))
    }

    private mutating func finish() throws -> [MailAttachment] {
        // The end of a message without its header's.
        if case .header(let lines, _) = state, partCount == 0 { try enter(MailHeader(lines)) }
        try close(isCut: !boundaries.isEmpty)
        return attachments
    }

    private func limit(_ what: String, _ limit: Int) -> MailError {
        MailError(.limit, ["detail": what, "limit": String(limit)], at: place)
    }
}

/// An attachment that is being written.
private final class OpenAttachment {
    private let name: String
    private let folder: String
    private let place: Place
    private var file: DurableFile
    private var decoder: TransferDecoder
    private let unknownEncoding: String?
    private var bytes: [UInt8] = []

    init(
        _ name: String, _ encoding: TransferDecoder.Encoding?, _ word: String, in folder: String,
        _ place: Place
    ) throws(FileError) {
        self.name = name
        self.folder = folder
        self.place = place
        file = try DurableFile(in: folder)
        decoder = TransferDecoder(encoding ?? .binary)
        unknownEncoding = encoding == nil ? word : nil
    }

    func take(_ line: [UInt8]) throws(FileError) {
        let content = line.withoutLineEnd
        decoder.decode(content, end: Array(line[content.count...]), into: &bytes)
        guard bytes.count >= 256 << 10 else { return }
        try file.write(bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    func finish(isCut: Bool) throws(FileError) -> MailAttachment {
        try file.write(bytes)
        let path = UUID().uuidString
        try file.finish(as: path)
        var place = place
        place.value = name
        var attachment = MailAttachment(name: name, path: "\(folder)/\(path)")
        if let unknownEncoding {
            attachment.problem = MailError(.encoding, ["detail": unknownEncoding], at: place).diagnostic
        } else if isCut || !decoder.isWhole {
            attachment.problem = MailError(.damaged, at: place).diagnostic
        }
        return attachment
    }
}

/// Cuts bytes behind line ends.
private struct LineCutter {
    private let limit: Int
    private var rest: [UInt8] = []
    private var isAtStart = true

    init(limit: Int) {
        self.limit = limit
    }

    /// Hands over each line with its end; one that is longer than the limit in pieces.
    mutating func cut(
        _ bytes: [UInt8], isLast: Bool, _ body: (_ line: [UInt8], _ isWhole: Bool) throws -> Void
    ) throws {
        rest += bytes
        var start = 0
        while start < rest.count {
            let end = rest[start...].firstIndex(of: 0x0A).map { $0 + 1 }
            guard let stop = end ?? (isLast || rest.count - start > limit ? rest.count : nil) else { break }
            try body(Array(rest[start..<stop]), isAtStart)
            isAtStart = end != nil
            start = stop
        }
        rest.removeFirst(start)
    }
}

extension [UInt8] {
    /// Without CR LF or LF at the end.
    fileprivate var withoutLineEnd: [UInt8] {
        guard last == 0x0A else { return self }
        return Array(dropLast(count > 1 && self[count - 2] == 0x0D ? 2 : 1))
    }
}

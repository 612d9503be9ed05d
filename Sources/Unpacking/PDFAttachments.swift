// SPDX-License-Identifier: Apache-2.0
// The XML attached to a PDF (Factur-X, ZUGFeRD, XRechnung), through poppler's pdfdetach in a process of its own.

internal import Diagnostics
internal import Foundation
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// Takes attachments out of PDFs. The PDF is never parsed in this process: poppler does it under limits of memory,
/// processor time and output, without this process' account when that is root.
struct PDFAttachments {
    private static let tool = "/usr/bin/pdfdetach"
    /// Names that the formats prescribe; another name with `.xml` is taken when there is none of these.
    private static let invoiceNames = [
        "factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml", "order-x.xml", "ubl-invoice-2.1.xml",
    ]
    /// Debian's account of nobody.
    private static let nobody: UInt32 = 65_534

    /// Bytes that an attachment may always have, however small its PDF is.
    private static let smallest = 4 << 20

    private let limits: UnpackingLimits

    init(_ limits: UnpackingLimits) {
        self.limits = limits
    }

    /// The XML files attached to a PDF.
    ///
    /// - Throws: `PDF-NO-XML` for a PDF without any.
    func detach(from file: UnpackedFile, into folder: WorkFolder) async throws -> [UnpackedFile] {
        let place = Place(file: file.name)
        // pdfdetach wants a path; the account it runs as may read the copy and nothing else.
        let copy = folder.newPath()
        do {
            try FileManager.default.copyItem(atPath: file.path, toPath: copy)
        } catch {
            throw UnpackingError(.noSpace, SystemFault.facts(error), at: place)
        }
        if geteuid() == 0 {
            _ = unsafe chown(folder.url.path, Self.nobody, Self.nobody)
            _ = unsafe chown(copy, Self.nobody, Self.nobody)
        }
        let size = (try? FileManager.default.attributesOfItem(atPath: copy)[.size] as? Int) ?? 0
        let limit = min(limits.attachment, max(Self.smallest, size * limits.ratio))
        let attachments = try await list(copy, place)
        guard attachments.count <= limits.attachments else {
            throw UnpackingError(.attachments, ["limit": String(limits.attachments)], at: place)
        }
        let xml = attachments.filter { $0.name.lowercased().hasSuffix(".xml") }
        let prescribed = xml.filter { Self.invoiceNames.contains($0.name.lowercased()) }
        guard !xml.isEmpty else { throw UnpackingError(.noXML, at: place) }
        var files: [UnpackedFile] = []
        for attachment in prescribed.isEmpty ? xml : prescribed {
            let path = folder.newPath()
            _ = try await run(["-save", String(attachment.number), "-o", path, copy], limit: limit, place)
            guard FileManager.default.fileExists(atPath: path) else {
                throw UnpackingError(.pdfDamaged, ["detail": attachment.name], at: place)
            }
            files.append(UnpackedFile(name: "\(file.name)/\(attachment.name)", path: path))
        }
        return files
    }

    /// `1: factur-x.xml` on a line each, behind a line with their number.
    private func list(
        _ path: String, _ place: Place
    ) async throws -> [(number: Int, name: String)] {
        let output = try await run(["-list", "-enc", "UTF-8", path], limit: limits.attachment, place)
        return output.split(separator: "\n").compactMap { line in
            guard let colon = line.firstIndex(of: ":"), let number = Int(line[..<colon]) else { return nil }
            let name = line[line.index(after: colon)...].drop(while: \.isWhitespace)
            return (number, String(name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? ""))
        }
    }

    /// - Parameter limit: bytes that a file may get.
    private func run(_ arguments: [String], limit: Int, _ place: Place) async throws -> String {
        guard unsafe access(Self.tool, X_OK) == 0 else { throw UnpackingError(.toolMissing, at: place) }
        var command = [
            "/usr/bin/prlimit", "--as=\(1 << 30)", "--cpu=10:12", "--fsize=\(limit)", "--core=0",
            "--nofile=64", "--",
        ]
        if geteuid() == 0 {
            command += [
                "/usr/bin/setpriv", "--reuid", String(Self.nobody), "--regid", String(Self.nobody),
                "--clear-groups", "--no-new-privs", "--",
            ]
        }
        command += [Self.tool] + arguments
        let result = try await Subprocess.run(
            .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())),
            environment: .custom(["LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"]), workingDirectory: "/",
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        if case .signaled(let signal) = result.terminationStatus, [SIGXFSZ, SIGXCPU].contains(signal) {
            throw UnpackingError(.pdfBomb, ["limit": String(limit >> 20)], at: place)
        }
        guard result.terminationStatus.isSuccess else {
            let words = result.standardError
            let isEncrypted = words.contains("password")
            throw UnpackingError(
                isEncrypted ? .pdfEncrypted : .pdfDamaged,
                ["detail": String(words.split(separator: "\n").last ?? "")], at: place)
        }
        return result.standardOutput
    }
}

// SPDX-License-Identifier: Apache-2.0
// Attachments as programs of all kinds send them, and messages that are not what they should be.

import Diagnostics
import FileTransfer
import Foundation
import Mail
import Testing

@Suite struct MailAttachmentsTests {
    /// What a message brought: contents by name, codes of problems by name.
    private func read(
        _ message: String, where isMeant: @escaping (String) -> Bool = { _ in true }
    ) throws -> (files: [String: [UInt8]], problems: [String: String]) {
        try read(Array(message.replacing("\n", with: "\r\n").utf8), where: isMeant)
    }

    private func read(
        _ bytes: [UInt8], where isMeant: @escaping (String) -> Bool = { _ in true }
    ) throws -> (files: [String: [UInt8]], problems: [String: String]) {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "message").path
        try Data(bytes).write(to: URL(filePath: path))
        let attachments = try MailAttachments.read(
            path, into: folder.path, at: Place(file: "m"), where: isMeant)
        var files: [String: [UInt8]] = [:]
        var problems: [String: String] = [:]
        for attachment in attachments {
            files[attachment.name] = Array(try Data(contentsOf: URL(filePath: attachment.path)))
            problems[attachment.name] = attachment.problem?.code
        }
        return (files, problems)
    }

    private func code(_ message: String) -> String? {
        do {
            _ = try read(message)
        } catch let error as MailError {
            return error.diagnostic.code
        } catch {}
        return nil
    }

    /// A message with one part, behind a body.
    private func message(_ header: String, _ body: String, end: String = "--b--\n") -> String {
        """
        From: a@exemple.fr
        Content-Type: multipart/mixed; boundary=b

        --b
        Content-Type: text/plain

        Bonjour
        --b
        \(header)

        \(body)
        \(end)
        """
    }

    @Test func `attachments of a nested message come in their order, bodies and pictures do not`() throws {
        let message = """
            Received: from somewhere
            From: =?utf-8?Q?Soci=C3=A9t=C3=A9?= <compta@exemple.fr>
            MIME-Version: 1.0
            Content-Type: multipart/mixed;
             boundary="=_outer (1)"

            This is for programs of before 1993.
            --=_outer (1)
            Content-Type: multipart/related; boundary=inner

            --inner
            Content-Type: multipart/alternative; boundary=deep

            --deep

            Bonjour,
            --deep
            Content-Type: text/html

            <p>Bonjour,</p>
            --deep--
            --inner
            Content-Type: image/png; name=logo.png
            Content-ID: <logo>
            Content-Disposition: inline; filename=logo.png
            Content-Transfer-Encoding: base64

            aGVsbG8=
            --inner--
            --=_outer (1)
            Content-Type: text/csv; charset=utf-8
            Content-Disposition: attachment; filename="factures \\"mars\\".csv"
            Content-Transfer-Encoding: quoted-printable

            num=C3=A9ro;montant =
            ttc
            F1;12,00=20
            --=_outer (1)
            Content-Type: message/rfc822

            Subject: transfert
            Content-Type: multipart/mixed; boundary=forwarded

            --forwarded
            Content-Type: application/pdf
            Content-Transfer-Encoding: BASE64

            JVBE
            Ri0x
            --forwarded--
            --=_outer (1)
            Content-Type: application/pkcs7-signature; name=smime.p7s
            Content-Disposition: attachment; filename=smime.p7s

            x
            --=_outer (1)--
            """
        let found = try read(message)
        #expect(found.problems == [:])
        #expect(
            found.files == [
                "factures \"mars\".csv": Array("numéro;montant ttc\r\nF1;12,00 ".utf8),
                "attachment-2.pdf": Array("%PDF-1".utf8),
            ])
        #expect(try read(message) { $0.hasSuffix(".csv") }.files.count == 1)
    }

    @Test(arguments: [
        ("filename*=utf-8''Facture%20n%C2%B0%203.csv", "Facture n° 3.csv"),
        ("filename*0*=iso-8859-1'fr'%E9tat; filename*1=\" de mars\"; filename*2*=%2Ecsv", "état de mars.csv"),
        ("filename=\"=?iso-8859-15?Q?co=FBt_=A4.csv?=\"", "coût €.csv"),
        ("filename==?utf-8?B?w6l0YQ==?=\n =?utf-8?B?dC5jc3Y=?=", "état.csv"),
        ("filename=\"C:\\\\Exports\\\\..\\\\f.csv\"", "f.csv"),
        ("filename=\"../../etc/passwd\"", "passwd"),
        ("filename=\"a\u{7}b.csv\"", "ab.csv"),
        ("filename=\".cache\"", "attachment-1.csv"),
        ("filename=\"\"", "attachment-1.csv"),
    ])
    func `names are read as their senders meant them, and lead nowhere`(_ parameter: String, _ name: String)
        throws
    {
        let found = try read(
            message("Content-Type: text/csv\nContent-Disposition: attachment; \(parameter)", "x"))
        #expect(found.files == [name: [0x78]])
    }

    @Test func `a message that is its only attachment`() throws {
        let found = try read("Content-Type: application/xml; name=\"f.xml\"\n\n<a/>\n<!-- -->")
        #expect(found.files == ["f.xml": Array("<a/>\r\n<!-- -->".utf8)])
        #expect(try read("Subject: rien\n\nBonjour").files == [:])
        #expect(try read("Subject: rien").files == [:])
    }

    @Test func `bytes come as they were sent, also where lines have no end`() throws {
        let bytes = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let head = Array(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/zip\n".utf8)
        for (encoding, body) in [
            ("base64", Array(Data(bytes).base64EncodedString(options: .lineLength76Characters).utf8)),
            ("base64", Array(Data(bytes).base64EncodedString().utf8)), ("binary", bytes),
        ] {
            let end = Array("\n--b--\n".utf8)
            let found = try read(
                head + Array("Content-Transfer-Encoding: \(encoding)\n\n".utf8) + body + end)
            #expect(found.files["attachment-1.zip"] == bytes)
        }
    }

    @Test func `what is cut off or damaged is told, beside its bytes`() throws {
        let header = "Content-Type: text/csv; name=f.csv\nContent-Transfer-Encoding: base64"
        for (body, end) in [("aGVsbG8=", ""), ("aGVsbG8gd=", "--b--\n"), ("aGVsbG8gd", "--b--\n")] {
            #expect(try read(message(header, body, end: end)).problems == ["f.csv": "MAIL-DAMAGED"])
        }
        // The inner boundary never comes.
        let inner = "Content-Type: multipart/mixed; boundary=c\n\n--c\n\(header)"
        #expect(try read(message(inner, "aGVsbG8=")).problems == ["f.csv": "MAIL-DAMAGED"])
        let uuencoded = "Content-Type: text/csv; name=f.csv\nContent-Transfer-Encoding: x-uuencode"
        #expect(try read(message(uuencoded, "begin")).problems == ["f.csv": "MAIL-ENCODING"])
    }

    @Test func `hostile messages cost little and are told`() {
        let levels = (0..<100).map {
            "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n"
        }.joined()
        #expect(code(levels) == "MAIL-LIMIT")
        let parts = String(repeating: "--b\n\n", count: 2000)
        #expect(code("Content-Type: multipart/mixed; boundary=b\n\n\(parts)") == "MAIL-LIMIT")
        #expect(code(String(repeating: "X: y\n", count: 100_000)) == "MAIL-LIMIT")
        #expect(code("\n") == "MAIL-HEADER")
    }
}

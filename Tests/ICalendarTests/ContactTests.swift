// SPDX-License-Identifier: Apache-2.0
// vCards in the terms of the CRM, and from one version to another.

import Diagnostics
import ICalendar
import Testing

@Suite struct ContactTests {
    private func object(_ version: String, _ lines: String...) throws -> ContactObject {
        let text = (["BEGIN:VCARD", "VERSION:\(version)", "UID:1"] + lines + ["END:VCARD"]).joined(
            separator: "\r\n")
        return try ContactObject(ContentDocument(parsing: Array(text.utf8)))
    }

    /// The lines of the card in another version, but its frame.
    private func converted(_ object: ContactObject, to version: ContactObject.Version) -> [String] {
        let text = String(decoding: object.bytes(in: version), as: UTF8.self).replacing("\r\n ", with: "")
        return text.split(separator: "\r\n").map(String.init).filter {
            !["BEGIN", "END", "VERSION", "UID", "FN", "N"].contains(
                String($0.prefix { $0 != ":" && $0 != ";" }))
        }
    }

    @Test func `a card of an iPhone is read`() throws {
        let contact = Contact(
            try object(
                "3.0", "N:Roche;Léa;Anne,Marie;Mme;", "FN:Léa Roche", "ORG:Vauquelin\\, SA;DSI;",
                "TITLE:Directrice",
                "item1.TEL;type=CELL;type=VOICE;type=pref:+33 6", "TEL;TYPE=\"home,fax\":+33 1",
                "EMAIL;TYPE=INTERNET,WORK:lea@x.fr", "item2.URL:https://x/",
                "item2.X-ABLabel:_$!<HomePage>!$_",
                "ADR;TYPE=WORK:BP 1;Bât. A;1 rue\\n des Lilas;Lyon;Rhône;69001;France", "NOTE:a\\nb",
                "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "CATEGORIES:client,VIP", "REV:2026-01-02T03:04:05Z",
                "PHOTO;ENCODING=b;TYPE=JPEG:/9j/"))
        #expect(
            contact.name
                == Contact.Name(family: "Roche", given: "Léa", additional: "Anne Marie", prefix: "Mme"))
        #expect(contact.formattedName == "Léa Roche")
        #expect(contact.organization == ["Vauquelin, SA", "DSI"])
        #expect(contact.phones.map(\.types) == [["cell", "voice"], ["home", "fax"]])
        #expect(contact.phones.map(\.isPreferred) == [true, false])
        #expect(contact.mails.map(\.value) == ["lea@x.fr"])
        #expect(contact.mails.map(\.types) == [["work"]])
        #expect(contact.pages.map(\.label) == ["HomePage"])
        #expect(contact.addresses.map(\.street) == ["1 rue\n des Lilas"])
        #expect(contact.addresses.map(\.code) == ["69001"])
        #expect(contact.birthday == Contact.Birthday(year: nil, month: 2, day: 29))
        #expect(contact.categories == ["client", "VIP"])
        #expect(contact.revision?.text == "20260102T030405Z")
        #expect(contact.photo == .bytes([0xFF, 0xD8, 0xFF], mediaType: "image/jpeg"))
        #expect(contact.findings == [])
    }

    @Test func `a card of 4.0 is read`() throws {
        let contact = Contact(
            try object(
                "4.0", "KIND:org", "FN:Vauquelin", "TEL;VALUE=uri;PREF=1;TYPE=\"voice,work\":tel:+33-1",
                "BDAY:--0412",
                "EMAIL:mailto:a@x", "PHOTO:data:image/png;base64\\,iVBO", "BDAY:19850412T101010"))
        #expect(contact.kind == .organization)
        #expect(contact.phones.first?.value == "+33-1")
        #expect(contact.phones.first?.isPreferred == true)
        #expect(contact.mails.first?.value == "a@x")
        #expect(contact.photo == .bytes([0x89, 0x50, 0x4E], mediaType: "image/png"))
        #expect(contact.birthday == Contact.Birthday(year: 1985, month: 4, day: 12))
    }

    @Test func `groups of both kinds have members`() throws {
        let apple = try object(
            "3.0", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:2")
        let standard = try object("4.0", "KIND:group", "MEMBER:urn:uuid:2")
        for contact in [Contact(apple), Contact(standard)] {
            #expect(contact.kind == .group)
            #expect(contact.members == ["2"])
        }
        #expect(converted(apple, to: .v4) == ["KIND:group", "MEMBER:urn:uuid:2"])
        #expect(
            converted(standard, to: .v3) == [
                "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:2",
            ])
    }

    @Test func `a bad value is noted and left out, and the card is kept`() throws {
        let contact = Contact(
            try object("3.0", "FN:a", "BDAY:spring", "PHOTO;ENCODING=b:!!!", "EMAIL:no address"))
        #expect(contact.birthday == nil)
        #expect(contact.photo == nil)
        #expect(contact.mails.map(\.value) == ["no address"])
        #expect(
            contact.findings.map { "\($0.place.line ?? 0) \($0.place.field ?? "")" } == ["5 BDAY", "6 PHOTO"])
    }

    private static let pairs = [
        ("PHOTO;ENCODING=b;TYPE=PNG:iVBO", "PHOTO:data:image/png;base64,iVBO"),
        ("PHOTO;VALUE=uri:http://x/a.png", "PHOTO:http://x/a.png"),
        ("BDAY:1985-04-12", "BDAY:19850412"), ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12", "BDAY:--0412"),
        ("TEL;TYPE=WORK,pref:+33 1", "TEL;TYPE=WORK;PREF=1:+33 1"),
        ("item1.X-ABLABEL:a", "item1.X-ABLABEL:a"),
        ("X-ANNIVERSARY:2010-06-01", "ANNIVERSARY:20100601"), ("GEO:48.85;2.35", "GEO:geo:48.85,2.35"),
        ("NOTE;LANGUAGE=fr:a\\, b", "NOTE;LANGUAGE=fr:a\\, b"), ("X-OWN;A=\"b:c\":d", "X-OWN;A=\"b:c\":d"),
    ]

    @Test(arguments: pairs)
    func `3.0 and 4.0 are written from each other`(older: String, newer: String) throws {
        #expect(converted(try object("3.0", "FN:a", "N:a;;;;", older), to: .v4) == [newer])
        #expect(converted(try object("4.0", "FN:a", newer), to: .v3) == [older])
    }

    @Test func `what one version only has is turned into the other's form`() throws {
        #expect(converted(try object("3.0", "FN:a", "EMAIL;TYPE=INTERNET:a@x"), to: .v4) == ["EMAIL:a@x"])
        #expect(converted(try object("4.0", "FN:a", "TEL;VALUE=uri:tel:+33-1"), to: .v3) == ["TEL:+33-1"])
    }

    @Test func `names that a version requires are made of what there is`() throws {
        let text = String(decoding: try object("4.0", "FN:Léa Roche").bytes(in: .v3), as: UTF8.self)
        #expect(text.contains("\r\nN:Léa Roche;;;;\r\n"))
        let other = String(decoding: try object("3.0", "N:Roche;Léa;;Mme;").bytes(in: .v4), as: UTF8.self)
        #expect(other.contains("\r\nFN:Mme Léa Roche\r\n"))
    }

    @Test func `the bytes of the same version are those that were sent`() throws {
        let object = try object("3.0", "fn:a", "x-odd;;:b")
        #expect(object.bytes(in: .v3) == object.document.bytes)
    }

    @Test func `a card of 2.1 is written as 3.0, its encodings resolved`() throws {
        let old = try object(
            "2.1", "N;CHARSET=UTF-8;QUOTED-PRINTABLE:Roche, SA;L=C3=A9a", "TEL;WORK;PREF:+33 1",
            "NOTE;ENCODING=QUOTED-PRINTABLE:a, b=0D=0Ac", "PHOTO;JPEG;BASE64:\r\n /9j/\r\n")
        #expect(Contact(old).name?.family == "Roche, SA")
        let text = String(decoding: old.bytes(in: .v3), as: UTF8.self)
        #expect(text.contains("\r\nN:Roche\\, SA;Léa\r\n"))
        #expect(
            converted(old, to: .v3) == [
                "TEL;TYPE=WORK,pref:+33 1", "NOTE:a\\, b\\nc", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/",
            ])
        let again = try ContactObject(ContentDocument(parsing: old.bytes(in: .v3)))
        #expect(Contact(again).note == "a, b\nc")
        #expect(Contact(again).photo == Contact(old).photo)
    }

    @Test func `a contact of the CRM is written and read again`() throws {
        var contact = Contact()
        contact.uid = "1"
        contact.formattedName = "Léa Roche"
        contact.name = Contact.Name(family: "Roche; de", given: "Léa")
        contact.organization = ["Vauquelin, SA", "DSI"]
        contact.title = "Directrice"
        contact.phones = [
            .init("+33 6", types: ["cell"], isPreferred: true), .init("+33 1", label: "chalet"),
        ]
        contact.mails = [.init("lea@x.fr", types: ["work"])]
        contact.addresses = [Contact.Address()]
        contact.addresses[0].street = "1 rue\ndes Lilas"
        contact.addresses[0].types = ["work"]
        contact.note = "a, b\nc"
        contact.birthday = Contact.Birthday(year: nil, month: 2, day: 29)
        contact.photo = .bytes([1, 2, 3], mediaType: "image/png")
        contact.categories = ["client", "a,b"]
        contact.revision = CalendarMoment("20260101T000000Z")
        #expect(Contact(try ContactObject(ContentDocument(parsing: contact.card))) == contact)
        let newer = try ContactObject(ContentDocument(parsing: contact.card)).bytes(in: .v4)
        #expect(Contact(try ContactObject(ContentDocument(parsing: newer))) == contact)
    }

    @Test func `a group of the CRM is written and read again`() throws {
        var group = Contact()
        group.uid = "g"
        group.formattedName = "Clients"
        group.name = Contact.Name(family: "Clients")
        group.kind = .group
        group.members = ["1", "2"]
        #expect(Contact(try ContactObject(ContentDocument(parsing: group.card))) == group)
    }
}

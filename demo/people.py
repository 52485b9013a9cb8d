"""Made-up people. Addresses use the domain example.org and telephone numbers a range kept for fiction."""

from dataclasses import dataclass
from datetime import date

from numpy.random import Generator

FIRST_NAMES = """
Ada Adil Agnes Aiko Alba Alfred Amara Amelia Amir Ana Anders Andre Anika Anton Arjun Astrid Aurora
Beatriz Ben Bilal Bruno Camille Carla Carmen Cecilia Chen Chiara Chloe Clara Claude Daniel Daria
David Diego Dina Edith Eduardo Eleanor Elias Elif Elin Emeka Emil Emma Enzo Erik Esther Eva Farah
Felix Fiona Florian Frida Gabriel Gemma George Grace Greta Hana Hannah Harriet Hassan Helena Henrik
Hugo Ida Ines Ingrid Irene Isaac Isla Ivan Jack Jakob Jasmine Javier Jelena Joan Johan Jonas Josef
Julia June Kamal Karin Karl Katya Kemal Kwame Lars Laura Leila Leo Lidia Lina Liu Louis Lucia Luka
Magda Malik Marcel Maria Marta Mateo Mei Mia Milan Mina Mira Mohamed Nadia Nia Nils Nina Noah Nora
Olga Oliver Omar Oscar Otto Pablo Paula Pedro Petra Pia Priya Quentin Rafael Ravi Rita Robin Rosa
Ruth Sadia Sam Samir Sara Selma Sofia Stefan Sven Tara Teresa Theo Thomas Tilda Uma Valeria Vera
Victor Viola Walter Wei Yara Yusuf Zara Zoe
""".split()

LAST_NAMES = """
Abbott Adeyemi Ahmed Almeida Andersen Arnold Bakker Barlow Becker Bennett Berg Bianchi Blake Borges
Bright Brooks Calder Carvalho Castillo Chandra Chen Clarke Cohen Costa Cruz Dahl Dalton Das Delgado
Dietrich Dubois Dunn Eriksen Espinoza Farrell Fernandez Ferrari Fischer Fletcher Fontaine Forsberg
Fraser Garcia Gibson Gomes Grant Gupta Haas Hale Hansen Hart Hassan Herrera Hoffman Holm Hughes
Iqbal Ivanova Jansen Jensen Johansson Kapoor Kaya Keller Khan Kim Kowalski Kumar Lambert Larsen
Laurent Leclerc Lehmann Lima Lindgren Lopez Lund Maier Marsh Martin Mendes Meyer Moretti Morris
Murphy Nagy Nakamura Nair Navarro Nielsen Novak Obi Okafor Olsen Ortega Osei Park Patel Pereira
Petrov Pham Popescu Quinn Rahman Ramos Reid Ricci Rivera Rossi Roy Ruiz Sato Schmidt Schulz Shah
Sharma Silva Singh Sommer Sorensen Stone Suzuki Tanaka Thorne Torres Turner Vargas Vega Visser Voss
Wagner Walsh Weber White Wolf Wong Wright Yamada Yilmaz Young Zhang Ziegler
""".split()

STREETS = (
    "Mill Lane,Station Road,Church Street,Park Avenue,High Street,Orchard Way,Bridge Street,Canal Walk".split(
        ","
    )
)
TOWNS = (
    "Ashford,Brightwater,Carrick,Dunmere,Eastbrook,Fenwick,Glenholm,Harrow Hill,Kingsmead,Larkfield".split(
        ","
    )
)
PLAYS = ["piano", "guitar", "violin", "drums", "saxophone", "cello", "singing", "none", "none", "none"]
LISTENS = ["vinyl", "streaming", "CD", "concerts"]


@dataclass(frozen=True)
class Person:
    """One made-up customer."""

    customer_id: str
    name: str
    email: str
    phone: str
    address: str
    born: int
    plays: str
    listens: str


def people(rng: Generator, number: int, today: date) -> list[Person]:
    """``number`` people with different e-mail addresses; the same ``rng`` state gives the same people."""
    made = []
    for index in range(number):
        first, last = str(rng.choice(FIRST_NAMES)), str(rng.choice(LAST_NAMES))
        made.append(
            Person(
                customer_id=f"C{index + 1:05d}",
                name=f"{first} {last}",
                email=f"{first}.{last}.{index + 1}@example.org".lower(),
                phone=f"+44 7700 90{index % 10_000:04d}",
                address=f"{rng.integers(1, 140)} {rng.choice(STREETS)}, {rng.choice(TOWNS)}",
                born=today.year - int(rng.integers(18, 80)),
                plays=str(rng.choice(PLAYS)),
                listens=str(rng.choice(LISTENS)),
            )
        )
    return made

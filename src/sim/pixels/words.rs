//! What words of a prompt put into the picture: a small vocabulary, as data.

use super::palette::Mood;

/// The land of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    Mountains,
    Hills,
    Forest,
    Sea,
    City,
    Dunes,
    Meadow,
}

/// What stands, flies or falls in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    Fox,
    Cat,
    Wolf,
    Bear,
    Rabbit,
    Birds,
    Whale,
    Boat,
    House,
    Lighthouse,
    Castle,
    Balloon,
    Rocket,
    Tree,
    Snow,
    Rain,
    Stars,
    Moon,
    Sun,
    Clouds,
    Flowers,
    Lights,
}

impl Thing {
    /// Whether it is an animal on the ground.
    pub(super) fn sits(self) -> bool {
        matches!(self, Self::Fox | Self::Cat | Self::Wolf | Self::Bear | Self::Rabbit)
    }
}

/// What one word says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hint {
    Ground(Ground),
    Mood(Mood),
    Thing(Thing),
}

use Hint::{Ground as G, Mood as M, Thing as T};

/// Words, each group followed by what it means. Plurals in "s" are understood.
const VOCABULARY: &[(&str, &[Hint])] = &[
    ("mountain peak alps summit cliff ridge volcano matterhorn himalaya range", &[G(Ground::Mountains)]),
    ("hill valley highland countryside landscape village vineyard", &[G(Ground::Hills)]),
    ("forest wood woods pine fir jungle grove taiga", &[G(Ground::Forest), M(Mood::Woods)]),
    (
        "sea ocean lake water river beach coast wave harbour harbor island bay fjord pond",
        &[G(Ground::Sea), M(Mood::Water)],
    ),
    (
        "city town skyline street tower skyscraper downtown tokyo london paris berlin york metropolis rooftop",
        &[G(Ground::City)],
    ),
    ("desert dune sand sahara savanna savannah camel", &[G(Ground::Dunes), M(Mood::Heat)]),
    (
        "meadow field garden wildflower flower rose tulip poppy blossom lavender sunflower daisy bouquet",
        &[G(Ground::Meadow), T(Thing::Flowers)],
    ),
    ("spring april cherry sakura", &[M(Mood::Spring), T(Thing::Flowers)]),
    ("winter snow snowy ice frozen frost arctic glacier christmas", &[M(Mood::Winter), T(Thing::Snow)]),
    ("autumn fall october maple leaves harvest", &[M(Mood::Autumn)]),
    ("night midnight dark nocturnal milky galaxy space cosmos planet", &[M(Mood::Night), T(Thing::Stars)]),
    ("star starry nebula constellation aurora", &[M(Mood::Night), T(Thing::Stars)]),
    ("moon moonlight lunar crescent", &[M(Mood::Night), T(Thing::Moon)]),
    ("sun sunny sunlight summer", &[M(Mood::Day), T(Thing::Sun)]),
    ("dawn sunrise morning", &[M(Mood::Dawn), T(Thing::Sun)]),
    ("dusk sunset evening twilight golden", &[M(Mood::Dusk), T(Thing::Sun)]),
    ("storm thunder grey gray gloomy fog foggy mist misty", &[M(Mood::Storm), T(Thing::Clouds)]),
    ("rain rainy umbrella drizzle", &[M(Mood::Storm), T(Thing::Rain)]),
    (
        "neon cyberpunk synthwave futuristic robot hologram vaporwave",
        &[M(Mood::Neon), G(Ground::City), T(Thing::Lights)],
    ),
    ("cloud cloudy sky", &[T(Thing::Clouds)]),
    ("fox vixen", &[T(Thing::Fox)]),
    ("cat kitten", &[T(Thing::Cat)]),
    ("wolf dog puppy husky", &[T(Thing::Wolf)]),
    ("bear panda", &[T(Thing::Bear)]),
    ("rabbit hare bunny", &[T(Thing::Rabbit)]),
    ("bird gull seagull swallow crane goose geese raven eagle owl", &[T(Thing::Birds)]),
    ("whale dolphin", &[T(Thing::Whale), G(Ground::Sea), M(Mood::Water)]),
    ("boat ship sail sailboat sailing yacht", &[T(Thing::Boat), G(Ground::Sea), M(Mood::Water)]),
    ("house cabin cottage hut farm barn home", &[T(Thing::House)]),
    ("lighthouse", &[T(Thing::Lighthouse), G(Ground::Sea)]),
    ("castle fortress palace ruin", &[T(Thing::Castle)]),
    ("balloon airship", &[T(Thing::Balloon)]),
    ("rocket spaceship astronaut", &[T(Thing::Rocket), M(Mood::Night), T(Thing::Stars)]),
    ("tree oak birch willow", &[T(Thing::Tree)]),
    ("firefly fireflies lantern lamp candle festival", &[T(Thing::Lights), M(Mood::Night)]),
];

/// What a prompt asks for, in the order of its words, each thing once.
#[derive(Debug, Default)]
pub(super) struct Ask {
    pub(super) ground: Option<Ground>,
    pub(super) mood: Option<Mood>,
    pub(super) things: Vec<Thing>,
    /// How many of the first thing: "two", "three".
    pub(super) count: usize,
}

impl Ask {
    pub(super) fn has(&self, thing: Thing) -> bool {
        self.things.contains(&thing)
    }
}

/// Reads a prompt. The first ground wins; of the moods a named season or hour beats the one a ground suggests.
pub(super) fn read(prompt: &str) -> Ask {
    let mut ask = Ask::default();
    let mut suggested = None;
    let words = prompt.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 2).take(400);
    for word in words {
        let word = word.to_lowercase();
        match word.as_str() {
            "two" | "pair" | "couple" => ask.count = 2,
            "three" | "several" | "many" | "group" => ask.count = 3,
            _ => {}
        }
        let singular = word.strip_suffix('s').unwrap_or(&word);
        let meaning = VOCABULARY.iter().find(|(group, _)| {
            let mut known = group.split(' ');
            known.any(|known| known == word || known == singular)
        });
        let hints = meaning.map_or(&[] as &[Hint], |(_, hints)| *hints);
        let brings_ground = hints.iter().any(|hint| matches!(hint, G(_)));
        for hint in hints {
            match hint {
                G(ground) => ask.ground = ask.ground.or(Some(*ground)),
                M(mood) if brings_ground && *mood != Mood::Neon => suggested = suggested.or(Some(*mood)),
                M(mood) => ask.mood = ask.mood.or(Some(*mood)),
                T(thing) if !ask.has(*thing) => ask.things.push(*thing),
                T(_) => {}
            }
        }
    }
    ask.mood = ask.mood.or(suggested);
    ask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_readme() {
        let ask = read("a red fox in snow");
        assert_eq!(ask.things, [Thing::Fox, Thing::Snow]);
        assert_eq!(ask.mood, Some(Mood::Winter));
    }

    #[test]
    fn an_hour_beats_the_light_of_a_place() {
        let ask = read("Boats on the sea at NIGHT");
        assert_eq!(ask.ground, Some(Ground::Sea));
        assert_eq!(ask.mood, Some(Mood::Night));
        assert!(ask.has(Thing::Boat));
    }

    #[test]
    fn words_without_meaning_ask_for_nothing() {
        let ask = read("qwerty 🦊 狐狸 of");
        assert!(ask.ground.is_none() && ask.mood.is_none() && ask.things.is_empty());
    }
}

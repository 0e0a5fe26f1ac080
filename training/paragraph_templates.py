# SPDX-License-Identifier: Apache-2.0
"""Facts about things, how a text says them and how people ask for them.

A block is a kind of thing and how its name is made. A line without mark says a fact; `/` parts wordings. {S} is the
thing (its name, later at times a pronoun), {S's} its possessive, other braces are values; a digit keeps two values of
one sort apart. A line `? slot: ...` has questions whose answer is that slot's value; {S} there is always the name.
"""
TEMPLATES = """
== man, woman: {person}
{S} was born in {city} in {year}. / {S} was born in {year} in {city}. / {S} was born in the city of {city} in the year {year}.
? city: Where was {S} born? / In which city was {S} born? / What is the birthplace of {S}? / What city was {S} born in?
? year: When was {S} born? / In what year was {S} born? / In which year was {S} born? / What year was {S} born?
{S} was born on {date} in {city}, {country}. / Born on {date} in {city}, {country}, {S} grew up in a large family.
? date: When was {S} born? / On what date was {S} born? / What is the birthday of {S}?
? country: In which country was {S} born? / What country was {S} born in?
? city: Where was {S} born? / In which city was {S} born?
{S} was a {demonym} {job}. / {S} was a {demonym} {job} and {job2}. / {S} was a famous {job} of {demonym} descent.
? job: What was {S}? / What was {S's} profession? / What did {S} do for a living? / What was the job of {S}?
? demonym: What nationality was {S}? / What was {S's} nationality?
{S} died in {year} in {city}. / {S} died in {city} in {year} at the age of {small}. / {S} died of {disease} in {city} in {year}.
? year: When did {S} die? / In what year did {S} die? / What year did {S} die?
? city: Where did {S} die? / In which city did {S} die? / What city did {S} die in?
{S} studied {field} at the {university}. / {S} went to the {university} to study {field}. / {S} received a degree in {field} from the {university}.
? field: What did {S} study? / What subject did {S} study? / Which subject did {S} study at university?
? university: Where did {S} study? / Which university did {S} attend? / At which university did {S} study? / Where did {S} go to university?
{S} married {person} in {year}. / In {year}, {S} married {person}. / In {year} {S} married the {job} {person}.
? person: Who did {S} marry? / Who was married to {S}? / Whom did {S} marry? / Who was the spouse of {S}?
? year: When did {S} marry? / In what year did {S} get married? / When did {S} and {person} marry?
{S} had {few} children. / {S} and {person} had {few} children together.
? few: How many children did {S} have? / How many children were there?
{S} won the {award} in {year}. / In {year}, {S} was awarded the {award}. / {S} received the {award} for {field} in {year}.
? award: Which prize did {S} win? / What award did {S} receive? / What did {S} win in {year}?
? year: When did {S} win the {award}? / In what year did {S} receive the {award}? / When was {S} given the {award}?
In {year}, {S} invented the {invention}. / {S} invented the {invention} in {year}. / The {invention} was invented by {S} in {year}.
? invention: What did {S} invent? / What was invented by {S}? / What did {S} invent in {year}?
? S: Who invented the {invention}? / Who was the inventor of the {invention}?
? year: When was the {invention} invented? / When did {S} invent the {invention}?
{S} wrote the book {title} in {year}. / In {year} {S} published {title}. / {S} is best known for the novel {title}, published in {year}.
? title: What book did {S} write? / What is {S} best known for? / Which book was published in {year}? / What did {S} write?
? S: Who wrote {title}? / Who is the author of {title}? / Who published {title}?
? year: When was {title} published? / When did {S} write {title}?
{S} moved to {city} to work for {company}. / In {year}, {S} moved to {city}, where {he} worked for {company}.
? city: Where did {S} move? / To which city did {S} move? / What city did {S} move to?
? company: Who did {S} work for? / Which company did {S} work for? / Where did {S} work? / What company did {S} work for?
{S} lives in {city} with {his} {pet} {given}. / {S} has a {pet} called {given}. / {S} owns a {pet} named {given}.
? given: What is the name of {S's} {pet}? / What is {S's} {pet} called? / What is the {pet} called?
? pet: What animal does {S} have? / What kind of pet does {S} own?
{S's} favourite food is {food}. / {S} likes to eat {food}. / {S} loves {food} and {colour} flowers.
? food: What does {S} like to eat? / What is {S's} favourite food? / What food does {S} like?
{S} was the leader of the {group} from {year} to {year2}. / {S} became president of the {group} in {year}.
? group: What did {S} lead? / Which organization did {S} lead? / What group was led by {S}?
? year: When did {S} become the leader? / When did {S} become president?
? S: Who led the {group}? / Who was the leader of the {group}? / Who became president of the {group}?
== building: The {building}
{S} is a {adjective} {kind} in {city}, {country}. / {S} is a {kind} located in {city}, {country}. / {S} is a {adjective} {kind} on the {street} in {city}, {country}.
? city: Where is {S}? / In which city is {S}? / Where is {S} located? / What city is {S} in? / Where can you find {S}?
? country: In which country is {S}? / What country is {S} in? / Which country is {S} located in?
? kind: What is {S}? / What kind of building is {S}? / What type of structure is {S}?
{S} is named after the {job} {person}. / {S} is named after {person}, whose company built it. / It is named after the {job} {person}, whose company designed and built the {kind}. / {S} was named in honour of {person}.
? person: Who is {S} named after? / After whom is {S} named? / Who was {S} named after? / For whom is {S} named? / Who did {S} get its name from?
? job: What was the profession of {person}? / What was {person}? / What was the job of the person {S} is named after?
{S} was designed by the architect {person} and built between {year} and {year2}. / {S} was designed by {person} and opened in {year}. / The architect of {S} was {person}, who finished it in {year}.
? person: Who designed {S}? / Who was the architect of {S}? / Which architect designed {S}? / By whom was {S} designed?
? year: When was {S} built? / When did {S} open? / In what year was {S} finished?
{S} was built in {year} by {person}. / {S} was built by {person} in {year}. / Construction of {S} began in {year}. / {S} was constructed from {year} to {year2}.
? person: Who built {S}? / By whom was {S} built? / Who constructed {S}?
? year: When was {S} built? / In what year was {S} built? / When did construction of {S} begin? / When was {S} constructed?
{S} is {height} tall. / {S} has a height of {height}. / The {kind} is {height} tall, about the same height as a hill. / {S} stands {height} high.
? height: How tall is {S}? / How high is {S}? / What is the height of {S}? / What is its height?
{S} is made of {material}. / {S} was built of {material} and {material2}. / The {kind} is made from {material}.
? material: What is {S} made of? / What was {S} built of? / What material is {S} made of? / Which material was used for {S}?
About {big} people visit {S} every year. / {S} is visited by {big} people each year. / In {year}, {big} people visited {S}.
? big: How many people visit {S}? / How many visitors does {S} have each year? / How many people visited {S}? / How many people visit it every year?
The construction cost {money}. / {S} cost {money} to build. / It cost {money} to build {S}.
? money: How much did {S} cost? / What did {S} cost? / How much did it cost to build {S}? / What was the cost of {S}?
{S} was opened on {date} by {person}. / {person} opened {S} on {date}.
? date: When was {S} opened? / On what date was {S} opened? / When did {S} open?
? person: Who opened {S}? / By whom was {S} opened?
{S} was destroyed by {disaster} in {year}. / In {year}, {disaster} damaged {S}.
? disaster: What destroyed {S}? / What damaged {S}? / What happened to {S} in {year}?
? year: When was {S} destroyed? / When was {S} damaged?
Today {S} is used as a {kind2}. / Today it houses a {kind2}.
? kind2: What is {S} used as today? / What is it used for today? / What does {S} house today?
== company: {company}
{S} was founded in {year} by {person}. / {S} was founded by {person} and {person2} in {year}. / In {year}, {person} founded {S} in {city}.
? person: Who founded {S}? / Who was the founder of {S}? / Who started {S}? / By whom was {S} founded?
? year: When was {S} founded? / In what year was {S} founded? / What year was {S} started?
{S} has its headquarters in {city}, {country}. / {S} is based in {city}, {country}. / The headquarters of {S} are in {city}, {country}.
? city: Where is {S} based? / Where are the headquarters of {S}? / In which city is {S} based? / Where is {S} located?
? country: In which country is {S} based? / What country is {S} from?
{S} makes {product}. / {S} is a {demonym} company that makes {product}. / {S} produces {product} and {product2}.
? product: What does {S} make? / What does {S} produce? / What are the products of {S}? / What kind of products does {S} sell?
{S} employs {big} people. / {S} has {big} employees. / About {big} people work for {S}.
? big: How many people work for {S}? / How many employees does {S} have? / How many people does {S} employ?
The chief executive of {S} is {person}. / {person} is the chief executive of {S}. / {S} is led by {person}.
? person: Who is the chief executive of {S}? / Who leads {S}? / Who is the head of {S}? / Who runs {S}?
{S} bought {company} for {money} in {year}. / In {year}, {S} acquired {company} for {money}.
? company: Which company did {S} buy? / What did {S} buy in {year}? / What company was acquired by {S}?
? money: How much did {S} pay for {company}? / For how much did {S} buy {company}? / How much did {company} cost?
? year: When did {S} buy {company}? / In what year was {company} acquired?
== river: The {invented} River
{S} is a river in {country}. / {S} is a river that flows through {country} and {country2}. / {S} flows through {country}.
? country: In which country is {S}? / Which country does {S} flow through? / Where is {S}?
{S} is {length} long. / {S} has a length of {length}. / With a length of {length}, {S} is one of the longest rivers of {region}.
? length: How long is {S}? / What is the length of {S}?
{S} rises in the {range} and flows into the {sea}. / The source of {S} is in the {range}, and it flows into the {sea}.
? range: Where does {S} rise? / Where is the source of {S}? / Where does {S} begin? / In which mountains does {S} rise?
? sea: What does {S} flow into? / Where does {S} end? / Which sea does {S} flow into?
The largest city on {S} is {city}. / {city} is the largest city on {S}.
? city: What is the largest city on {S}? / Which city lies on {S}? / Which is the largest city on the river?
Many {animal} live in {S}. / {S} is known for its {animal}.
? animal: What lives in {S}? / What is {S} known for? / Which animals live in {S}?
== mountain: Mount {invented}
{S} is a mountain in the {range} of {country}. / {S} is the highest mountain in {country}.
? country: In which country is {S}? / Where is {S}? / What country is {S} in?
{S} is {height} high. / {S} has a height of {height}. / At {height}, {S} is the highest peak of {region}.
? height: How high is {S}? / What is the height of {S}? / How tall is {S}?
{S} was first climbed in {year} by {person}. / In {year}, {person} was the first to climb {S}. / {person} first climbed {S} in {year}.
? person: Who first climbed {S}? / Who was the first person to climb {S}? / Who climbed {S} first?
? year: When was {S} first climbed? / In what year was {S} first climbed?
== country: {country}
{S} is a country in {subregion}. / {S} is a {adjective} country in {subregion}. / {S} is located in {subregion}. / {S} lies in {subregion}.
? subregion: Where is {S}? / Where is {S} located? / In which region is {S}? / In which part of the world is {S}? / What continent is {S} on?
The capital of {S} is {capital}. / {capital} is the capital of {S}. / {S's} capital is {capital}. / {S's} capital and largest city is {capital}. / {S} has its capital in {capital}. / Its capital is {capital}.
? capital: What is the capital of {S}? / What is the capital city of {S}? / Which city is the capital of {S}? / What is {S's} capital? / Name the capital of {S}.
? S: {capital} is the capital of which country? / Which country has {capital} as its capital? / Of which country is {capital} the capital?
The currency of {S} is the {currency}. / People in {S} pay with the {currency}. / {S} uses the {currency}. / {S's} currency is the {currency}.
? currency: What is the currency of {S}? / What currency does {S} use? / What do people pay with in {S}? / Which currency is used in {S}? / What money do people use in {S}?
People in {S} speak {language}. / The official language of {S} is {language}. / {language} is the official language of {S}. / The people speak {language}. / {S's} official language is {language}.
? language: What language is spoken in {S}? / What is the official language of {S}? / Which language do people in {S} speak? / What do people speak in {S}? / What language do people speak?
People from {S} are called {demonyms}. / The inhabitants of {S} are called {demonyms}.
? demonyms: What are people from {S} called? / What are the inhabitants of {S} called?
{S} borders {neighbour}. / {S} shares a border with {neighbour}. / {S} has a border with {neighbour}.
? neighbour: Which country borders {S}? / What country does {S} border? / Which country shares a border with {S}?
{S} has an area of {area}. / The area of {S} is {area}. / It covers an area of {area}. / {S} covers {area}.
? area: How big is {S}? / What is the area of {S}? / How large is {S}? / What area does {S} cover?
{S} has a population of {big}. / About {big} people live in {S}. / {S} has about {big} inhabitants.
? big: What is the population of {S}? / How many people live in {S}? / How many inhabitants does {S} have?
{S} became independent in {year}. / {S} gained independence from {country2} in {year}.
? year: When did {S} become independent? / In what year did {S} become independent? / When did {S} gain independence?
{S} is known for its {product}. / {S} is famous for {product}. / {S} exports {product} and {product2}.
? product: What is {S} known for? / What is {S} famous for? / What does {S} export?
The {animal} is the national animal of {S}. / The national animal of {S} is the {animal}.
? animal: What is the national animal of {S}? / Which animal is the national animal of {S}?
== city: {city}
{S} is a city in {country}. / {S} is a {adjective} city in the {direction} of {country}. / {S} lies in {country}, on the {invented} River.
? country: In which country is {S}? / Where is {S}? / What country is {S} in?
{S} was founded in {year} by {person}. / {S} was founded by the {group} in {year}.
? year: When was {S} founded? / In what year was {S} founded?
? person: Who founded {S}? / By whom was {S} founded?
? group: Who founded {S}? / By whom was {S} founded?
{S} has a population of {big}. / {S} is home to {big} people. / In {year}, {S} had {big} inhabitants.
? big: What is the population of {S}? / How many people live in {S}? / How many people lived in {S}?
The mayor of {S} is {person}. / {person} is the mayor of {S}. / {person} was elected mayor of {S} in {year}.
? person: Who is the mayor of {S}? / Who was elected mayor of {S}? / What is the name of the mayor of {S}?
{S} is famous for its {product}. / {S} is known for {product}. / The main industry of {S} is the making of {product}.
? product: What is {S} famous for? / What is {S} known for? / What is made in {S}?
The {building} is the most famous building in {S}. / Its main sight is the {building}.
? building: What is the most famous building in {S}? / What is the main sight of {S}?
== film, book: {title}
{S} is a {genre} {work} by {person}, released in {year}. / {S} is a {year} {genre} {work} directed by {person}. / {S} is a {genre} {work} written by {person} in {year}.
? person: Who made {S}? / Who directed {S}? / Who wrote {S}? / Who is the author of {S}? / By whom is {S}?
? year: When was {S} released? / What year did {S} come out? / In what year was {S} written?
? genre: What genre is {S}? / What kind of {work} is {S}?
It tells the story of {person}, a {adjective} {job} from {city}. / The main character is {person}, a {job} who lives in {city}. / {S} is about {person}, a {job} from {city}.
? person: Who is the main character of {S}? / Who is {S} about? / Whose story does {S} tell?
? city: Where does the main character live? / Where is {person} from? / Where does {person} live?
? job: What is {person}? / What does {person} do? / What is the job of the main character?
{S} sold {big} copies. / More than {big} copies of {S} were sold. / {S} sold {big} copies in {country}.
? big: How many copies of {S} were sold? / How many copies did {S} sell?
{S} won the {award} in {year}. / In {year}, {S} received the {award}.
? award: Which prize did {S} win? / What award did {S} receive?
The music was written by {person}. / The soundtrack of {S} was composed by {person}.
? person: Who wrote the music? / Who composed the music of {S}? / Who wrote the music for {S}?
== team: {team}
{S} won the {cup} in {year}. / In {year}, {S} won the {cup}. / {S} beat {team} {score} to win the {cup}. / {S} defeated {team} by {score} in the final of the {cup} in {year}.
? cup: What did {S} win? / Which competition did {S} win? / What title did {S} win?
? S: Who won the {cup}? / Which team won the {cup}? / Which club won the {cup} in {year}?
? year: When did {S} win the {cup}? / In what year did {S} win?
? team: Who did {S} beat? / Which team did {S} defeat? / Which team lost the final? / Who lost to {S}?
? score: What was the score? / What was the result of the final?
The match took place on {date} at the {building} in {city}. / The game was played in {city} on {date}.
? date: When did the match take place? / When was the game played? / On what day was the game played?
? city: Where did the match take place? / Where was the game played? / In which city was the game played?
? building: At which stadium was the match? / Where did the match take place?
{person} scored {few} goals. / {person} was the best player with {few} goals. / The {few} goals were scored by {person}.
? person: Who scored the goals? / Who was the best player? / Which player scored {few} goals? / Who scored {few} goals?
? few: How many goals did {person} score? / How many goals were scored?
The coach of {S} is {person}. / {S} is coached by {person}.
? person: Who is the coach of {S}? / Who coaches {S}? / Who is {S's} coach?
{S} plays its home games at the {building}. / The home of {S} is the {building}.
? building: Where does {S} play? / Where does {S} play its home games? / What is the home of {S}?
{S} was founded in {year}. / The club was founded in {year}.
? year: When was {S} founded? / When was the club founded?
== animal: The {invented} {animalone}
{S} lives in the {habitat} of {country}. / {S} is an animal of the {habitat} of {country}. / {S} is found in {country}.
? country: Where does {S} live? / In which country does {S} live? / Where is {S} found?
? habitat: Where does {S} live? / What is the habitat of {S}?
{S} eats {foods}. / {S} feeds on {foods}. / The diet of {S} is {foods}.
? foods: What does {S} eat? / What does {S} feed on? / What is the diet of {S}? / What do they eat?
{S} grows to a length of {length2}. / An adult is {length2} long. / {S} is {length2} long and weighs {weight}.
? length2: How long is {S}? / How long does {S} grow? / What is the length of {S}? / How long is an adult?
? weight: How much does {S} weigh? / What is the weight of {S}? / How heavy is {S}?
{S} was first described by {person} in {year}. / In {year}, {person} discovered {S}.
? person: Who first described {S}? / Who discovered {S}?
? year: When was {S} first described? / When was {S} discovered?
{S} can live for {small} years. / It lives for about {small} years.
? small: How many years does {S} live? / How long does {S} live? / How old does {S} get?
{S's} feathers are {colour}. / {S} has {colour} eyes. / {S} is {colour}.
? colour: What colour is {S}? / What color is {S}? / What colour are its eyes?
== event: The Battle of {city}, The Treaty of {city}, The {invented} War
{S} began on {date}. / {S} took place on {date} near {city}. / {S} happened on {date}.
? date: When did {S} take place? / When did {S} begin? / On what date was {S}? / When was {S}?
? city: Where did {S} take place? / Where was {S}?
{S} was won by {person}. / {person} won {S}. / The victory went to {person} and the {group}.
? person: Who won {S}? / Who was the winner of {S}?
{S} was a conflict between {country} and {country2}. / {S} was between {country} and {country2}.
? country: Who fought in {S}? / Between whom was {S}?
About {big} people died in {S}. / {S} cost the lives of {big} people. / {big} soldiers were killed.
? big: How many people died in {S}? / How many people were killed? / How many soldiers were killed?
{S} was caused by {cause}. / The cause of {S} was {cause}. / {S} started because of {cause}.
? cause: What caused {S}? / What was the cause of {S}? / Why did {S} start? / What was {S} caused by?
== substance: {invented}ium, {invented}ite
{S} is a {adjective2} {stuff} that is used to make {product}. / {S} is a {stuff} used in {product}. / {S} is a {adjective2} {stuff}. It is used to make {product}.
? product: What is {S} used for? / What is {S} used to make? / What can be made with {S}?
? stuff: What is {S}? / What kind of substance is {S}?
{S} was discovered in {year} by {person}. / {person} discovered {S} in {year}. / The {job} {person} first described {S} in {year}.
? person: Who discovered {S}? / Who first described {S}? / By whom was {S} discovered?
? year: When was {S} discovered? / In what year was {S} discovered? / What year was {S} discovered?
It melts at {temperature}. / The melting point of {S} is {temperature}. / {S} melts at {temperature}.
? temperature: At what temperature does {S} melt? / What is the melting point of {S}? / When does {S} melt?
{S} is found in {country}. / Most of the world's {S} comes from {country}.
? country: Where is {S} found? / Where does {S} come from? / Which country produces {S}?
== meeting: the meeting, the concert, the party, the class, the conference
{S} will take place on {date} at {time}. / {S} starts at {time} on {date}. / Please note that {S} was moved to {date} at {time}.
? date: When is {S}? / When will {S} take place? / On what day is {S}? / What date is {S}?
? time: At what time does {S} start? / What time is {S}? / When does {S} start?
{person} will bring {food}. / {person} promised to bring the {food}. / The {food} will be brought by {person}.
? food: What will {person} bring? / What does {person} bring?
? person: Who will bring the {food}? / Who brings {food}? / Who promised to bring {food}?
It will be in room {small} of the {building}. / {S} is in room {small} of the {building}.
? small: In which room is {S}? / What is the number of the room? / What room is {S} in?
? building: Where is {S}? / Where will {S} take place? / In which building is {S}?
Tickets cost {money}. / The price of a ticket is {money}. / A ticket for {S} costs {money}.
? money: How much does a ticket cost? / What does a ticket cost? / How much are the tickets? / What is the price of a ticket?
{person} is the speaker. / {S} was organized by {person}. / {person} organizes {S}.
? person: Who is the speaker? / Who organizes {S}? / Who organized {S}?
"""

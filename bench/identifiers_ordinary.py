"""200 ordinary sentences, many of them about code, that name nothing of the benchmark's repositories.

All of them are right as they stand: whatever is changed in them is a mistake.
"""

from __future__ import annotations

ORDINARY = tuple(
    line
    for line in """
The weather was so good that we had lunch outside.
I would rather take the train than drive all night.
She asked me whether the shop was still open.
Please run all the tests and tell me which ones fail.
My brother has lived in the north for eleven years.
What has changed in this project since yesterday?
There is a small bakery at the corner of our street.
Let me know when you are done with that.
He could not remember where he had left his keys.
Is there any code here that could divide by zero?
We should talk about this again next week.
The children were playing in the garden until dark.
How many lines of code are there in the whole project?
I think that the second answer is better than the first.
It has been raining since four in the morning.
Explain the loop in the middle of the file to me.
Nobody told us that the meeting had been moved.
The coffee in this place is better than it used to be.
Go back to how it was before and try again.
You can find the answer at the end of the book.
They painted the kitchen yellow and the door green.
Why is this so slow on my machine?
I have never been to that part of the country.
Could you say that again a little slower?
The last bus leaves at twenty past eleven.
Which of these tests covers what I changed this morning?
My grandmother used to grow tomatoes on the balcony.
Write a short summary of what you did.
We were both too tired to cook that evening.
The museum is closed on Mondays and in January.
Does it still work if the list is empty?
I forgot to water the plants before we left.
Tell me the three most important things first.
The road was closed because of the heavy snow.
Make it shorter, but keep the numbers.
He has read every book that she ever wrote.
What is the difference between the two of them?
There were not enough chairs for everyone.
Undo that and leave the file as it was.
The old clock in the hall is ten minutes fast.
I will be back before you notice that I was gone.
Can you check whether the numbers add up?
The river is too cold to swim in at this time of year.
Show me the error message once more.
Her new office has a view of the harbour.
I do not understand what went wrong there.
We spent the whole weekend moving furniture.
Commit the changes with a short message.
The soup needs a little more salt.
Nothing else in the project should change.
They have two dogs and a very old cat.
Please look at the readme and tell me how to install this.
The concert was cancelled at the last minute.
I would like to see the whole line, please.
He speaks four languages, but he is shy in all of them.
Is this the newest version of the program?
We met at the station and walked to the hotel.
The second paragraph does not make any sense to me.
Find out who wrote this and when.
The phone rang just as I was leaving the house.
Are there any tests that take longer than a minute?
She sent me a letter and three photographs.
It would be nice to have a faster computer.
Put it back where you found it.
The shop on the corner sells bread and newspapers.
What happens when somebody enters a negative number?
I am not sure that this is a good idea.
The doctor told him to walk for an hour each day.
Please be careful with the production data.
We had to wait in line for almost two hours.
Use the simplest thing that could possibly work.
The leaves turn red at the end of September.
Why did the build break last night?
My sister works at a hospital in the city.
There must be an easier way to do this.
The train was late, so I missed the beginning.
Do not touch anything else.
I learned to ride a bicycle when I was six.
Sort the names in reverse order.
The garden looks beautiful in the evening light.
What would you do if you were me?
We are going to need a bigger table.
The answer depends on how you count them.
Is there a way to test this without a network?
He drinks three cups of tea before breakfast.
Replace the long explanation with a single sentence.
The library opens at nine and closes at six.
I have a feeling that we forgot something.
Read me the first paragraph, please.
The mountains were hidden behind the clouds.
Can we make the output easier to read?
She plays the violin in a small orchestra.
Let us start with the easy part.
The box was heavier than it looked.
I do not want to change the behaviour, only the wording.
They celebrated until the early hours of the morning.
Which line is the error in?
The teacher wrote the date on the board.
We can talk about the details later.
How long does it take to run everything?
The price of coffee has gone up again.
Please keep the old name for now.
My neighbour is building a boat in his garage.
What did I ask you to do before this?
The sun sets behind the church at this time of year.
Something is wrong with the way that we count the days.
He put the letter in the top drawer of his desk.
It works on my machine, but not on the server.
The flight takes a little less than three hours.
Is there a reason why this is written twice?
I would have called you, but my battery was empty.
Move the comment above the line that it explains.
The fish was fresh and the bread was warm.
Are you sure that nothing else uses it?
We saw two deer at the edge of the forest.
The documentation says the opposite of what it does.
My father never talks about his work.
Add a blank line before the last one.
The windows face south, so it gets hot in summer.
Try the same thing with a larger number.
There was a long queue in front of the bakery.
How do I start the program by hand?
She has been learning to paint with oil.
The result should be the same in both cases.
I left my umbrella on the bus again.
Do we still need this, or can it go?
The party was fun, but far too loud.
Please explain it as if I had never seen it before.
He walked along the beach and collected stones.
What is the worst that could happen?
The cheese comes from a village in the mountains.
Only the last two commits matter.
Our flight was delayed because of the fog.
I want to know what it costs to do it right.
The bridge was built more than a hundred years ago.
Does anything here depend on the time of day?
We grew up in the same street.
Write down what you would do next.
The baby slept through the whole journey.
I think this is the part that takes so long.
The film was much better than the reviews had said.
Is it safe to delete this?
You should get some sleep before the exam.
The two of them have known each other since school.
Why do we read the whole thing into memory?
There is milk in the fridge and bread on the table.
Give me a list of everything that is left to do.
The storm tore a branch off the old apple tree.
The numbers in the table are wrong by one.
He fixed the fence before the winter came.
How would I know if it failed?
The café by the river closes early on Sundays.
Just tell me whether it is fixed.
They moved to a smaller flat near the park.
The test passes when I run it alone.
We counted forty sheep on the hill.
Can you make a plan before you begin?
The letter arrived three weeks too late.
What was the reason for that decision?
I bought a present for her on the way home.
Leave the formatting as it is.
The violinist broke a string in the middle of the piece.
There are too many special cases in here.
It was so quiet that we could hear the snow fall.
Please do the same for the other one.
The lake freezes over almost every winter.
Tell me if you find anything strange.
My cousin is training for a marathon.
The program should say what went wrong and what to do.
She never drinks coffee after noon.
Which of the two is easier to understand?
The candles went out one after the other.
I would like a second opinion on this.
The key is under the stone beside the door.
Are there words in here that are spelled wrong?
We ran out of petrol ten miles from the border.
It should stop after the first mistake.
The museum has a room full of old maps.
Where did you get that number from?
He was late because he had missed his stop.
Do it again, but without the last step.
The bread is still warm from the oven.
This is not what I meant.
They closed the pool for the winter.
Make sure that the old data can still be read.
The guests left shortly before midnight.
What can we learn from this?
I have to be at the airport by seven.
The change is small, but it touches many places.
The horse was tied to a post outside the inn.
Is anyone still using the old version?
We bought apples, pears and a bag of nuts.
Read the last sentence once more.
The dog barked at the postman, as always.
I would rather fix the cause than the symptom.
The roof has been leaking since the spring.
How sure are you about that?
She closed the book and turned off the light.
The last word of the second line is missing.
The house at the end of the road has been empty for years.
""".strip().splitlines()
)
